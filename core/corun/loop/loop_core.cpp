// SPDX-License-Identifier: MIT
// The pass. asyncio polls I/O in each of its passes; an epoll_wait costs as much as ten steps, so this loop polls when nothing is ready,
// and otherwise after every `steps_between_polls` steps. Within a pass the batch is what was ready at its start: what a step makes
// ready runs in the next one, in order.
//
// When nothing is ready, one handler of the I/O context is run and then the pass goes on: the handlers of one epoll_wait are
// taken one a pass without a further system call, and an empty queue is never polled for nothing.
#include <bit>
#include <cmath>
#include <corun/base/errors.hpp>
#include <corun/coro/async_generator.hpp>
#include <corun/loop/loop.hpp>
#include <corun/loop/loop_core.hpp>
#include <corun/loop/loop_io.hpp>

#include <boost/asio/detail/thread_context.hpp>
#include <boost/asio/detail/thread_info_base.hpp>

namespace corun::detail {
namespace {

constexpr std::size_t steps_between_polls = 61;  // not a power of two, so that it does not beat with batches of a user's size

// Asio keeps a few small blocks for reuse, but only in a thread that it sees inside a run() of an io_context. A step starts its
// operations outside of one; this makes the thread known for as long as the loop runs, so that a cancellation slot costs no malloc.
class AsioThread : boost::asio::detail::thread_context {
 public:
  AsioThread() : entry_(this, info_) {}

 private:
  boost::asio::detail::thread_info_base info_;
  thread_call_stack::context entry_;
};

}  // namespace

void LagHistogram::add(nanoseconds lag) noexcept {
  double ns = static_cast<double>(lag.count() > 0 ? lag.count() : 0);
  max_ns_ = std::max(max_ns_, ns);
  double step = ns < 1000 ? 0 : 8 * std::log2(ns / 1000) + 1;
  ++counts_[static_cast<std::size_t>(std::min(step, 255.0))];
  ++total_;
}

double LagHistogram::percentile(double share) const noexcept {
  if (total_ == 0) return 0;
  auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_ - 1));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > rank) return std::min(1e-6 * std::exp2(static_cast<double>(i) / 8), max_seconds());
  }
  return max_seconds();
}

LoopCore::LoopCore(Loop& owner_face, bool with_virtual_time)
    : virtual_time(with_virtual_time), face(&owner_face), mailbox(std::make_shared<Mailbox>()) {
  io = std::make_unique<LoopIo>(*this);
  root_scope.uses = 1;  // the loop's own; never let go
  std::lock_guard lock(all_loops.mutex);
  ListLink& first = all_loops.first;
  if (!first.linked()) first.link_prev = first.link_next = &first;
  in_process.link_prev = first.link_prev;
  in_process.link_next = &first;
  first.link_prev->link_next = &in_process;
  first.link_prev = &in_process;
}

LoopCore::~LoopCore() {
  std::lock_guard lock(all_loops.mutex);
  in_process.unlink();
}

LoopList all_loops;

void throw_no_running_loop() { throw RuntimeError("no running event loop"); }

void LoopCore::check_closed() const {
  if (closed) throw RuntimeError("Event loop is closed");
}

void LoopCore::check_thread() const {
  ThreadState* running_in = owner.load(std::memory_order_relaxed);
  if (debug && running_in && running_in != &thread_state)
    throw RuntimeError("Non-thread-safe operation invoked on an event loop other than the current one");
}

CORUN_INLINE void LoopCore::run_pass() {
  ++iterations;
  if (ready.empty())
    stopping ? poll_io() : wait_for_io();
  else if (steps_since_poll >= steps_between_polls)
    poll_io();
  if (!timers.empty()) expire_timers();
  if (ready.empty()) {
    if (attention.load(std::memory_order_relaxed)) deliver_attention();
    return;
  }
  const ReadyQueue::Mark batch_end = ready.end();
  bool last = false;
  do {
    if (instrumented) [[unlikely]] {
      last = run_watched(batch_end);
      continue;
    }
    if (attention.load(std::memory_order_relaxed)) [[unlikely]]
      deliver_attention();
    Runnable& item = ready.pop();
    last = batch_end.is_at(item);
    ++steps_since_poll;
    item.run();
  } while (!last);
}

void LoopCore::run() {
  check_closed();
  if (thread_state.loop == this || owner.load() != nullptr) throw RuntimeError("This event loop is already running");
  if (thread_state.loop) throw RuntimeError("Cannot run the event loop while another loop is running");
  ThreadState* nobody = nullptr;
  if (!owner.compare_exchange_strong(nobody, &thread_state)) throw RuntimeError("This event loop is already running");

  struct Running {
    LoopCore& core;
    ThreadState saved = thread_state;
    explicit Running(LoopCore& c) : core(c) {
      core.retain();
      thread_state.loop = &core;
      thread_state.task = nullptr;
      thread_state.scope = nullptr;
      core.watch_steps();
    }
    ~Running() {
      frame_pool.traced = false;
      core.probe.running.store(false, std::memory_order_relaxed);
      thread_state = saved;
      core.stopping = false;
      core.owner.store(nullptr);
      core.release();
    }
  } running(*this);
  AsioThread asio_thread;

  if (io->context.stopped()) io->context.restart();
  io->start();
  do run_pass();
  while (!stopping);
}

void LoopCore::watch_steps() noexcept {
  instrumented = debug || probe.enabled.load() || before_step;
  if (thread_state.loop == this) frame_pool.traced = debug;
}

// Gives whether the step was the last of its batch.
bool LoopCore::run_watched(const ReadyQueue::Mark& batch_end) {
  if (before_step) before_step();
  if (attention.load(std::memory_order_relaxed)) deliver_attention();
  Runnable& item = ready.pop();
  const bool last = batch_end.is_at(item);
  ++steps_since_poll;
  probe.begin_step();
  if (!debug || !face) {
    item.run();
    return last;
  }
  const std::string what = describe_runnable(item);  // before: the step may be the item's last
  const auto begin = std::chrono::steady_clock::now();
  item.run();
  const auto took = std::chrono::steady_clock::now() - begin;
  if (!face || took < face->slow_callback_duration) return last;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f", std::chrono::duration<double>(took).count());
  face->warn("Executing " + what + " took " + seconds + " seconds");
  return last;
}

void LoopCore::expire_timers() {
  time_point current = now();
  while (!timers.empty() && timers.earliest() <= current) {
    lag.add(current - timers.earliest());
    timers.pop().expired();
  }
}

namespace {

// A handler that the user gave to Asio threw: reported as asyncio reports a callback; the two that leave a loop do.
template <class F>
void guarded(LoopCore& core, F f) {
  try {
    f();
  } catch (const KeyboardInterrupt&) {
    throw;
  } catch (const SystemExit&) {
    throw;
  } catch (...) {
    if (core.face)
      core.face->call_exception_handler({.message = "Exception in an I/O handler", .exception = std::current_exception()});
  }
}

}  // namespace

void LoopCore::poll_io() {
  steps += std::exchange(steps_since_poll, 0);
  if (io->context.stopped()) io->context.restart();
  guarded(*this, [this] { io->context.poll(); });
}

void LoopCore::wait_for_io() {
  steps += std::exchange(steps_since_poll, 0);
  if (virtual_time) return wait_virtual();
  if (!timers.empty()) {
    if (timers.earliest() <= now()) return;
    io->arm(timers.earliest());
  }
  if (attention.load()) return;
  if (debug) report_if_idle();
  probe.running.store(false, std::memory_order_relaxed);
  // To ask stopped() first would take a lock at each wait; a stopped context says so by doing nothing.
  guarded(*this, [this] {
    if (io->context.run_one() == 0) io->context.restart();
  });
}

void LoopCore::wait_virtual() {
  poll_io();
  if (!ready.empty() || attention.load()) return;
  if (threads_outstanding > 0 || io_outstanding()) {
    guarded(*this, [this] { io->context.run_one(); });
    return;
  }
  if (!timers.empty()) {
    virtual_now = std::max(virtual_now, timers.earliest());
    return;
  }
  throw RuntimeError("deadlock: nothing is ready, and no timer, I/O or thread is outstanding" +
                     (idle_report ? "\n" + idle_report() : std::string()));
}

bool LoopCore::io_outstanding() {
  auto executor = io->context.get_executor();
  for (int i = 0; i < LoopIo::own_operations; ++i) executor.on_work_finished();
  bool idle = io->context.stopped();
  if (idle) io->context.restart();
  for (int i = 0; i < LoopIo::own_operations; ++i) executor.on_work_started();
  return !idle;
}

void LoopCore::report_if_idle() {
  if (idle_reported || !idle_report || !timers.empty() || threads_outstanding > 0 || !signal_callbacks.empty()) return;
  if (io_outstanding()) return;
  idle_reported = true;
  if (face) face->warn("nothing can wake this loop: no timer, I/O or thread work is outstanding\n" + idle_report());
}

void LoopCore::take_mail() {
  for (auto& item : mailbox->take()) make_ready(*item.leak());
}

namespace {

// One call of a signal's callback. The callback itself cannot stand in the queue: the signal may come again while it waits there.
class SignalCall final : public Callback {
 public:
  explicit SignalCall(Ref<Callback> callback) : Callback(nullptr), callback_(std::move(callback)) {}
  const std::type_info& type() const noexcept override { return callback_->type(); }

 private:
  void call() override {
    callback_->retain();  // its run() gives one count back
    callback_->run();
  }
  Ref<Callback> callback_;
};

}  // namespace

void LoopCore::deliver_attention() {
  attention.store(false, std::memory_order_relaxed);
  if (int signal = std::exchange(leave_with, 0)) throw KeyboardInterrupt(signal);
  if (std::uint64_t watched = take_watched(*this)) {
    for (auto& [signal, callback] : signal_callbacks) {
      if (!(watched & (std::uint64_t{1} << (signal - 1)))) continue;
      make_ready(*Ref<Callback>(new SignalCall(callback)).leak());
    }
  }
  if (interrupts) interrupts->deliver();
}

void LoopCore::shut_down_io() noexcept {
  if (!io || io->shut_down) return;
  io->shut_down = true;
  io->context.shutdown();
}

}  // namespace corun::detail
