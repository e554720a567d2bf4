// SPDX-License-Identifier: MIT
// The rules of a run and of the close. Each close step is a coroutine of its own on the loop; a step that something leaves by an
// exception (SystemExit of a leftover, a signal) does not keep the later ones from running.
#include <corun/base/errors.hpp>
#include <corun/runner.hpp>
#include <corun/task/call_graph.hpp>
#include <corun/task/task.hpp>
#include <corun/task/wait.hpp>
#include <cstdio>
#include <map>

namespace corun {
namespace {

constexpr std::size_t cancel_rounds_max = 100;  // a task that always leaves another one behind does not hold the close for ever

// The signals of one run: the first cancels main.
class MainInterrupts final : public detail::InterruptSink {
 public:
  explicit MainInterrupts(detail::TaskCore& main) : main_(main) {}

  void interrupted(int signal, unsigned earlier) override {
    signal_ = signal;
    ++count_;
    if (earlier == 0 && !main_.done()) {
      main_.cancel({});
      return;
    }
    throw KeyboardInterrupt(signal);
  }
  unsigned count() const noexcept { return count_; }
  int signal() const noexcept { return signal_; }

 private:
  detail::TaskCore& main_;
  unsigned count_ = 0;
  int signal_ = 0;
};

// The signals of a close: the first ends the waiting, the second is the default's.
class CloseInterrupts final : public detail::InterruptSink {
 public:
  void interrupted(int signal, unsigned earlier) override {
    if (earlier > 0) {
      ::signal(signal, SIG_DFL);
      ::raise(signal);
    }
    signal_ = signal;
    if (!step_) return;
    if (step_->started)
      step_->cancel({});
    else
      due_ = true;  // cancelled now its body would never run, and what it has to say would not be said
  }
  int signal() const noexcept { return signal_; }

  // The close step under way; null: between two.
  void watch(detail::TaskCore* step) noexcept {
    step_ = step;
    due_ = false;
  }
  // The step's first act: a signal that came before it meets its first wait.
  void step_begins() {
    if (std::exchange(due_, false)) step_->cancel({});
  }

 private:
  detail::TaskCore* step_ = nullptr;
  bool due_ = false;
  int signal_ = 0;
};

// One close: its steps, and the first thing that went wrong.
class Closing {
 public:
  Closing(Loop& loop, const RunnerOptions& options) : loop_(loop), core_(loop.core()), options_(options) {}

  void run() {
    detail::InterruptScope signals(core_, interrupts_, options_.interrupt_signals);
    deadline_ = loop_.time() + detail::to_nanoseconds(options_.cancel_timeout);
    ask(detail::tasks_of(core_));  // before any of them gets another step: what never started never does (fact 77)
    step([this] { return cancel_leftovers(); });
    abandon_leftovers();
    step([this] { return loop_.shutdown_asyncgens(); });
    step([this] {
      return loop_.shutdown_default_executor(interrupts_.signal() ? std::chrono::nanoseconds(0) : options_.executor_shutdown_timeout);
    });
    loop_.close();
    if (interrupts_.signal()) throw KeyboardInterrupt(interrupts_.signal());
    if (signals.undelivered()) throw KeyboardInterrupt(signals.latest());
    if (first_error_) std::rethrow_exception(first_error_);
  }

 private:
  // Runs one step to its end. What leaves the loop meanwhile (SystemExit of a leftover) is remembered, and the step goes on.
  template <class Make>
  void step(Make make) {
    Coro<> coro = in_step(std::move(make));
    Task<> task = detail::create_task_on(core_, coro, {.name = "close"}, std::source_location::current());
    interrupts_.watch(&task.core());
    const std::size_t exits_max = core_.tasks_alive + cancel_rounds_max;  // each leftover may leave the loop once
    for (std::size_t exits = 0; exits < exits_max && !task.done(); ++exits) {
      try {
        detail::run_until_done(core_, task.core());
      } catch (...) {
        remember();
      }
    }
    interrupts_.watch(nullptr);
    try {
      if (task.done()) task.result();
    } catch (const CancelledError&) {  // a signal ended it
    } catch (...) {
      remember();
    }
  }

  template <class Make>
  Coro<> in_step(Make make) {
    interrupts_.step_begins();
    co_await make();
  }

  void remember() {
    if (!first_error_) first_error_ = std::current_exception();
  }

  std::vector<AnyTask> leftovers() {
    AnyTask me = current_task();
    std::vector<AnyTask> others;
    for (AnyTask& task : all_tasks())
      if (!(task == me)) others.push_back(task);
    return others;
  }

  // Asks each task once.
  void ask(const std::vector<AnyTask>& tasks) {
    for (const AnyTask& task : tasks)
      if (asked_.try_emplace(&task.core(), loop_.time()).second) {
        held_.push_back(task);  // so that the address stays its own
        task.cancel();
      }
  }

  Coro<> cancel_leftovers() {
    for (std::size_t round = 0; round < cancel_rounds_max; ++round) {
      std::vector<AnyTask> tasks = leftovers();
      if (tasks.empty()) break;
      ask(tasks);
      nanoseconds left = deadline_ - loop_.time();
      if (left <= nanoseconds::zero()) break;
      std::vector<detail::FutureCore*> cores;
      for (const AnyTask& task : tasks) cores.push_back(&task.core());
      co_await detail::wait_futures(std::move(cores), left, ReturnWhen::all_completed);
      report_failures();
    }
  }

  // What the first step did not bring to its end, whatever ended the step.
  void abandon_leftovers() {
    report_failures();
    for (const AnyTask& task : detail::tasks_of(core_)) abandon(task);
  }

  // Of those that were asked: each failure once.
  void report_failures() {
    for (const AnyTask& task : held_) {
      if (!task.done() || task.cancelled() || !task.core().exception_unread) continue;
      std::exception_ptr error = task.exception();
      detail::AmbientGuard ambient(&task.core().context, nullptr);
      detail::report(&core_, {.message = "unhandled exception during corun::run() shutdown", .exception = error, .task = task});
    }
  }

  void abandon(const AnyTask& task) {
    std::string why;
    if (interrupts_.signal())
      why = " was left: a signal ended the close";
    else if (deadline_ > loop_.time())
      why = " was abandoned: after " + std::to_string(cancel_rounds_max) + " rounds of cancelling, tasks still start others";
    else if (auto asked = asked_.find(&task.core()); asked != asked_.end() && asked->second < deadline_)
      why = " ignored its cancellation for " + detail::seconds_text(loop_.time() - asked->second) + " and was abandoned";
    else
      why = " was abandoned: it was started when the time of the close was over";
    loop_.warn("task '" + task.name() + "'" + why + "\n" + format_call_graph(capture_call_graph(task)));
    task.core().reported = true;
  }

  Loop& loop_;
  detail::LoopCore& core_;
  const RunnerOptions& options_;
  CloseInterrupts interrupts_;
  time_point deadline_;
  std::map<detail::TaskCore*, time_point> asked_;  // and when
  std::vector<AnyTask> held_;
  std::exception_ptr first_error_;
};

template <class T>
int run_main_as(Coro<T> main, RunnerOptions options) {
  try {
    if constexpr (std::is_void_v<T>) {
      run(std::move(main), std::move(options));
      return 0;
    } else {
      return run(std::move(main), std::move(options));
    }
  } catch (const KeyboardInterrupt& interrupt) {
    return 128 + interrupt.signal_number();
  } catch (const SystemExit& exit) {
    return exit.code();
  } catch (...) {
    std::fprintf(stderr, "%s\n", detail::describe(std::current_exception()).c_str());
    return 1;
  }
}

}  // namespace

Runner::Runner(RunnerOptions options) : options_(std::move(options)) {}

Runner::~Runner() {
  try {
    close();
  } catch (...) {
    if (loop_) detail::report(&loop_->core(), {.message = "exception while a Runner was closed", .exception = std::current_exception()});
  }
}

void Runner::initialize() {
  if (state_ == State::closed) throw RuntimeError("Runner is closed");
  if (state_ == State::initialized) return;
  if (detail::thread_state.loop) throw RuntimeError("Cannot run the event loop while another loop is running");
  std::unique_ptr<Loop> loop = options_.loop_factory ? options_.loop_factory() : new_event_loop();
  if (!loop) throw RuntimeError("loop_factory returned no loop");
  if (options_.debug) loop->set_debug(*options_.debug);
  context_ = copy_context();
  loop_ = std::move(loop);
  state_ = State::initialized;
}

const Context& Runner::prepare(const RunOptions& options) {
  if (state_ == State::closed) throw RuntimeError("Runner is closed");
  if (detail::thread_state.loop) throw RuntimeError("Runner.run() cannot be called from a running event loop");
  initialize();
  if (loop_->is_running()) throw RuntimeError("This event loop is already running");
  const Context& context = options.context ? *options.context : *context_;
  if (context.entered()) throw RuntimeError("cannot enter context: it is already entered");
  return context;
}

Loop& Runner::loop() {
  if (!(state_ == State::initialized && loop_)) initialize();
  return *loop_;
}

void Runner::run_main(detail::TaskCore& main) {
  MainInterrupts interrupts(main);
  detail::InterruptScope signals(loop_->core(), interrupts, options_.interrupt_signals);
  try {
    detail::run_until_done(loop_->core(), main);
  } catch (...) {
    main.exception_unread = false;  // what main threw is what leaves here
    throw;
  }
  if (signals.undelivered()) {
    main.exception_unread = false;
    throw KeyboardInterrupt(signals.latest());
  }
  bool cancelled = main.state == detail::FutureCore::State::cancelled;
  if (cancelled && interrupts.count() > 0 && main.uncancel() == 0) throw KeyboardInterrupt(interrupts.signal());
}

void Runner::close() {
  if (state_ != State::initialized) return;
  if (loop_->is_running()) throw RuntimeError("Cannot close a running event loop");
  if (detail::thread_state.loop) throw RuntimeError("Cannot run the event loop while another loop is running");
  struct Closed {
    Runner& runner;
    ~Closed() {
      runner.state_ = State::closed;
      runner.context_.reset();
      if (!runner.loop_->is_closed()) runner.loop_->close();
    }
  } closed{*this};
  Closing(*loop_, options_).run();
}

int run_main(Coro<> main, RunnerOptions options) { return run_main_as(std::move(main), std::move(options)); }
int run_main(Coro<int> main, RunnerOptions options) { return run_main_as(std::move(main), std::move(options)); }

}  // namespace corun
