// SPDX-License-Identifier: MIT
// Floor 2. The loop's inside: what tasks, handles and operations touch on every step. The public face is loop/loop.hpp.
//
// Counted, because tasks and futures may outlive the loop: the record stays until the last of them is gone, closed and empty.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <corun/base/clock.hpp>
#include <corun/loop/mailbox.hpp>
#include <corun/loop/runnable.hpp>
#include <corun/loop/scope_core.hpp>
#include <corun/loop/signals.hpp>
#include <corun/loop/step_probe.hpp>
#include <corun/loop/thread_state.hpp>
#include <corun/loop/timer_heap.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace corun {
class Loop;
class ThreadPoolExecutor;
struct ExceptionContext;
}  // namespace corun

namespace corun::detail {

struct GeneratorFrame;
struct LoopIo;

// Something elsewhere, in a thread, that has yet to come back to the loop and holds what only the loop's thread may give back.
class Outstanding : public ListLink {
 public:
  // The loop is closed: gives everything back; it will not be awaited any more. Called on the loop's thread, out of the list.
  virtual void loop_closes() noexcept = 0;

 protected:
  ~Outstanding() = default;
};

// How late something was, in powers of two of microseconds with eight steps each: percentiles at about 9 % without storing samples.
class LagHistogram {
 public:
  void add(nanoseconds lag) noexcept;
  double percentile(double share) const noexcept;  // seconds
  double max_seconds() const noexcept { return max_ns_ * 1e-9; }

 private:
  std::array<std::uint64_t, 256> counts_{};
  std::uint64_t total_ = 0;
  double max_ns_ = 0;
};

class CORUN_API LoopCore {
 public:
  explicit LoopCore(Loop& face, bool virtual_time);
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  void retain() noexcept { ++uses; }
  void release() noexcept {
    if (--uses == 0) delete this;
  }

  // Makes something ready; it runs in the next pass.
  CORUN_INLINE void make_ready(Runnable& item) noexcept { ready.push(item); }

  time_point now() const noexcept { return virtual_time ? virtual_now : std::chrono::steady_clock::now(); }
  void add_timer(TimerNode& node) { timers.push(node); }
  void remove_timer(TimerNode& node) noexcept { timers.remove(node); }

  // Runs passes until `stopping`. Errors: what leaves a step (KeyboardInterrupt, SystemExit); RuntimeError where another loop runs in
  // this thread, or this one runs already, or it is closed.
  void run();
  void check_closed() const;
  void check_thread() const;  // debug: RuntimeError from a foreign thread

  // Looks at signals now; what checkpoint() does. May throw KeyboardInterrupt.
  void deliver_attention();

  // Whether an operation of the I/O context is outstanding (beside the loop's own two descriptors).
  bool io_outstanding();

  // Sets `instrumented` after a change of debug, the probe or before_step, and lets this thread trace frames as this loop's debug says.
  void watch_steps() noexcept;

  void shut_down_io() noexcept;  // destroys pending operations; sockets may still be destroyed afterwards
  ~LoopCore();

  // Hot.
  ReadyQueue ready;
  std::atomic<bool> attention{false};  // a signal came
  bool stopping = false;
  bool debug = false;
  bool instrumented = false;  // as watch_steps() found: steps are watched one by one
  bool closed = false;
  const bool virtual_time;
  std::uint32_t uses = 0;
  std::size_t steps_since_poll = 0;
  TimerHeap timers;
  time_point virtual_now{};
  ScopeCore root_scope;
  IntrusiveList<ScopeCore> scopes;  // those with live tasks, beside the root
  std::size_t tasks_alive = 0;
  std::size_t threads_outstanding = 0;  // work handed to executors and not yet answered

  // Cold.
  Loop* face;  // null once the Loop is gone
  std::shared_ptr<Mailbox> mailbox;
  std::unique_ptr<LoopIo> io;
  std::atomic<ThreadState*> owner{nullptr};  // the thread that runs it
  InterruptScope* interrupts = nullptr;
  int leave_with = 0;  // a signal whose KeyboardInterrupt leaves run() at the next step boundary; 0: none
  std::atomic<std::uint64_t> watched_signals{0};
  std::map<int, Ref<Callback>> signal_callbacks;
  IntrusiveList<GeneratorFrame, ListLink> generators;
  bool generators_shut_down = false;
  std::shared_ptr<ThreadPoolExecutor> default_executor;
  bool executor_shut_down = false;
  std::function<std::string()> idle_report;  // what to say when nothing can ever wake the loop; set in debug mode and virtual time
  bool idle_reported = false;
  std::uint64_t task_names = 0;
  std::uint64_t runs = 0;  // changes where a run_until_complete begins and ends: which one a stop is meant for
  std::uint64_t iterations = 0;
  std::uint64_t steps = 0;
  LagHistogram lag;
  StepProbe probe;
  std::function<void()> before_step;  // for tests: called before each task step and callback, and before signals are looked at
  IntrusiveList<Outstanding> outstanding;
  ListLink in_process;  // in the list of all loops, for debuggers

 private:
  void run_pass();
  bool run_watched(const ReadyQueue::Mark& batch_end);
  void wait_for_io();
  void wait_virtual();
  void poll_io();
  void expire_timers();
  void take_mail();
  void report_if_idle();
  friend LoopIo;
};

[[noreturn]] CORUN_API void throw_no_running_loop();

// Every loop of the process: where a debugger begins (gdb/corun.py). Written under its lock.
struct LoopList {
  std::mutex mutex;
  ListLink first;  // links the `in_process` of each; points at itself when empty
};
extern CORUN_API LoopList all_loops;

// The running loop's record. Errors: RuntimeError "no running event loop".
CORUN_INLINE LoopCore& running_loop() {
  LoopCore* loop = thread_state.loop;
  if (!loop) [[unlikely]]
    throw_no_running_loop();
  return *loop;
}

// Ends the tasks that a loop still has when it goes; each is reported. Defined with the task (task/task_core.cpp).
void abandon_tasks(LoopCore& loop) noexcept;

// Text of what is current, for reports of slow steps. Defined with the task.
std::string describe_runnable(Runnable& item);

}  // namespace corun::detail
