// SPDX-License-Identifier: MIT
// The request is made from within the loop, before it takes the step from its queue and before it looks at signals, so a cancelled task
// that was ready for that very step finds the request in it. Main is made a task here and not by Runner::run, so that the first step
// can be counted too.
#include <corun/base/errors.hpp>
#include <corun/loop/signals.hpp>
#include <corun/runner.hpp>
#include <corun/task/call_graph.hpp>
#include <corun/task/sleep.hpp>
#include <corun/task/task.hpp>
#include <corun/testing/every_step.hpp>
#include <corun/testing/virtual_time.hpp>
#include <csignal>
#include <cstdio>
#include <string>

namespace corun::testing {

void Disturbance::aim(AnyTask victim) {
  seen_ = 0;
  victim_.emplace(std::move(victim));
}

void Disturbance::before_step(corun::detail::LoopCore& loop) {
  if (made_ || !victim_ || victim_->done() || ++seen_ < step_) return;
  made_ = true;
  if (interrupts_)
    corun::detail::InterruptScope::simulate(loop, SIGINT);
  else
    victim_->cancel();
}

namespace detail {
namespace {

constexpr int passes_max = 100;  // what the end of main set going may take so many passes to end

// Tasks that only had to hear of main's end, such as one that closes a generator, do so here.
Coro<> let_end() {
  for (int i = 0; i < passes_max && get_running_loop().core().tasks_alive > 1; ++i) co_await sleep(std::chrono::seconds(0));
}

// One run, and what is found when it is over.
class DisturbedRun {
 public:
  DisturbedRun(Request request, std::size_t step, const EveryStepOptions& options)
      : request_(request), options_(options), disturbance_(step, request == Request::interrupt) {}

  bool operator()(const Body& body) {
    run(body);
    if (!found_.empty()) throw RuntimeError(found_);
    return disturbance_.made();
  }

 private:
  void run(const Body& body) {
    Runner runner({.loop_factory = virtual_time()});
    Loop& loop = runner.loop();
    loop.set_exception_handler([this](Loop&, const ExceptionContext& context) {
      report(context.message + (context.task ? " (" + context.task->name() + ")" : std::string()) +
             (context.exception ? ": " + corun::detail::describe(context.exception) : std::string()));
    });
    loop.set_warning_handler([this](std::string_view text) { report(std::string(text)); });
    run_main(runner, body);
    runner.run(let_end());
    look_for_leftovers(loop);
    if (options_.check) options_.check();
    runner.close();
  }

  void run_main(Runner& runner, const Body& body) {
    corun::detail::LoopCore& core = runner.loop().core();
    Coro<> coro = body.make(disturbance_);
    Task<> main = corun::detail::create_task_on(core, coro, {.name = "main"}, std::source_location::current());
    if (body.is_victim) disturbance_.aim(main);
    struct Stop {
      corun::detail::LoopCore& core;
      Disturbance& disturbance;
      ~Stop() {
        disturbance.end();
        core.before_step = nullptr;
        core.watch_steps();
      }
    } stop{core, disturbance_};
    core.before_step = [this, &core] { disturbance_.before_step(core); };
    core.watch_steps();
    try {
      runner.run(main);
    } catch (const CancelledError&) {
      if (!disturbance_.made() || request_ != Request::cancel) throw;
    } catch (const KeyboardInterrupt&) {
      if (!disturbance_.made() || request_ != Request::interrupt) throw;
    }
  }

  void look_for_leftovers(Loop& loop) {
    if (options_.tasks_may_remain) return;
    for (const AnyTask& task : corun::detail::tasks_of(loop.core()))
      found_ += "\na task is left:\n" + format_call_graph(capture_call_graph(task));
    if (loop.stats().timers > 0) found_ += "\n" + std::to_string(loop.stats().timers) + " timers are left";
  }

  void report(std::string text) {
    if (!options_.reports_may_come) found_ += "\nthe loop reports: " + text;
  }

  Request request_;
  const EveryStepOptions& options_;
  Disturbance disturbance_;
  std::string found_;
};

}  // namespace

bool run_disturbed(Request request, std::size_t step, const Body& body, const EveryStepOptions& options) {
  const std::string where =
      std::string(request == Request::cancel ? "cancelled" : "interrupted") + " before step " + std::to_string(step);
  try {
    return DisturbedRun(request, step, options)(body);
  } catch (const RuntimeError& error) {
    throw RuntimeError(where + ": " + error.what());
  } catch (...) {
    std::fprintf(stderr, "corun: the run that is %s failed\n", where.c_str());
    throw;
  }
}

std::size_t run_at_every_step(Request request, const Body& body, const EveryStepOptions& options) {
  for (std::size_t step = 1; step <= options.steps_max; ++step)
    if (!run_disturbed(request, step, body, options)) return step - 1;
  throw RuntimeError("the body has not ended after " + std::to_string(options.steps_max) + " steps");
}

}  // namespace detail
}  // namespace corun::testing
