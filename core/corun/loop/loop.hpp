// SPDX-License-Identifier: MIT
// Floor 2. The event loop: asyncio's, over one boost::asio::io_context. Tasks and awaiting stand a floor above; here are callbacks,
// timers, signals, the reports, and the life of the loop itself.
#pragma once

#include <chrono>
#include <concepts>
#include <corun/base/clock.hpp>
#include <corun/coro/coro.hpp>
#include <corun/loop/any_task.hpp>
#include <corun/loop/handle.hpp>
#include <corun/loop/loop_core.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace corun {

class ThreadPoolExecutor;

// What an exception handler is told. Source: asyncio's context dictionary; its keys are these fields.
struct ExceptionContext {
  std::string message = {};
  std::exception_ptr exception = {};
  std::optional<AnyTask> task = {};
  std::optional<Handle> handle = {};
  std::string generator = {};  // name of an async generator
  std::string where = {};      // a place in the source, "file:line", where one is known
};

// Figures since the loop was made. Lag is how late timers fired, in seconds.
struct LoopStats {
  std::uint64_t iterations = 0;
  std::uint64_t steps = 0;  // task steps and callbacks
  double lag_p50 = 0;
  double lag_p99 = 0;
  double lag_max = 0;
  std::size_t tasks = 0;  // alive
  std::size_t timers = 0;
};

// An event loop. Made by new_event_loop(), or by a Runner; belongs to the thread that runs it.
// Threads: call_soon_threadsafe() only, from other threads. In debug mode the others throw there.
// Errors: RuntimeError "Event loop is closed" from every operation after close().
class CORUN_API Loop {
 public:
  ~Loop();  // reports a loop that was not closed, and every task that is still pending
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Calls `callback` in the next pass, after what is ready already. Move-only callables are enough. What it throws is reported and the
  // loop goes on; KeyboardInterrupt and SystemExit leave the loop. context null: a copy of the current one, taken now.
  template <std::invocable F>
  Handle call_soon(F callback, const Context* context = nullptr) {
    return schedule(detail::Ref<detail::Callback>(new detail::CallbackOf<F>(std::move(callback), context)));
  }

  // Calls it once `delay` has passed, or a moment later; zero or less: in the next pass.
  template <class Rep, class Period, std::invocable F>
  TimerHandle call_later(std::chrono::duration<Rep, Period> delay, F callback, const Context* context = nullptr) {
    return call_at(time() + detail::to_nanoseconds(delay), std::move(callback), context);
  }
  // Calls it at `when` on the loop's clock, time().
  template <std::invocable F>
  TimerHandle call_at(time_point when, F callback, const Context* context = nullptr) {
    core_->check_closed();
    core_->check_thread();
    return schedule_at(detail::Ref<detail::TimedCallback>(
        new detail::TimedCallbackOf<F>(*core_, when, std::move(callback), context)));
  }

  // call_soon for other threads; wakes the loop. Threads: any. Errors: RuntimeError when the loop is closed.
  template <std::invocable F>
  Handle call_soon_threadsafe(F callback, const Context* context = nullptr) {
    return schedule_threadsafe(detail::Ref<detail::Callback>(new detail::CallbackOf<F>(std::move(callback), context)));
  }

  // The loop's clock: steady_clock's, or the virtual one of testing::virtual_time().
  time_point time() const { return core_->now(); }

  // Runs until stop(). stop() before it: one pass.
  void run_forever();
  // Ends run_forever() after the current pass.
  void stop();
  // Forgets what is scheduled and refuses everything from now on. Nothing is awaited; a Runner's close() does that. Twice is once.
  // Errors: RuntimeError "Cannot close a running event loop".
  void close();
  bool is_running() const;
  bool is_closed() const;

  // Runs `main` as a task until it is done, and returns what it returns. A refused call leaves main untouched.
  // Errors: what main throws; RuntimeError "Event loop stopped before Future completed.". Defined with the task (task/run_until_complete.hpp).
  template <Awaitable A>
  auto run_until_complete(A&& main) -> await_result_t<A>;

  bool debug() const { return core_->debug; }
  // Debug mode: slow steps are reported, foreign threads refused, an idle loop that nothing can wake is told of.
  void set_debug(bool on);
  std::chrono::nanoseconds slow_callback_duration = std::chrono::milliseconds(100);  // debug mode reports a step that took longer
  // Debug mode reports, once per wait, a task that still waits this long after it was asked to cancel. At most zero: never.
  std::chrono::nanoseconds slow_cancel_duration = std::chrono::seconds(5);

  // Who hears of what nobody awaited. {}: the default, text on stderr in asyncio's words.
  void set_exception_handler(std::function<void(Loop&, const ExceptionContext&)> handler);
  // Called in the context of the task or callback that failed. Does not throw: a failing handler is itself reported by the default one.
  void call_exception_handler(const ExceptionContext& context);
  // Who hears of warnings: slow steps, the executor's drain limit, never awaited. {}: stderr.
  void set_warning_handler(std::function<void(std::string_view)> handler);
  void warn(std::string_view message);  // to the warning handler

  // Calls `callback` in the loop when the signal comes; replaces an earlier one. Errors: std::system_error; RuntimeError outside the main thread.
  template <std::invocable F>
  void add_signal_handler(int signal, F callback) {
    watch(signal, detail::Ref<detail::Callback>(new detail::CallbackOf<F>(std::move(callback), nullptr)));
  }
  // The default disposition again. False: there was none.
  bool remove_signal_handler(int signal);

  // Closes every async generator that is half-way, all at once. Source: asyncio.
  Coro<> shutdown_asyncgens();
  // Waits for the default executor's threads; after `timeout` (none: asyncio's 5 minutes) warns and leaves them.
  Coro<> shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout = {});
  void set_default_executor(std::shared_ptr<ThreadPoolExecutor> executor);

  // To make sockets and timers on. They must be gone before the loop is.
  boost::asio::io_context& io_context();

  LoopStats stats() const;
  // Keeps step_probe() up to date from now on, or no longer: a few nanoseconds a step.
  void watch_steps(bool on);
  // For a watchdog thread: what runs right now. Lives as long as the loop.
  StepProbe& step_probe() { return core_->probe; }

  // Library-internal: the record behind it.
  detail::LoopCore& core() const noexcept { return *core_; }
  explicit Loop(bool virtual_time);

 private:
  friend detail::LoopCore;
  Handle schedule(detail::Ref<detail::Callback> callback);
  TimerHandle schedule_at(detail::Ref<detail::TimedCallback> callback);
  Handle schedule_threadsafe(detail::Ref<detail::Callback> callback);
  void watch(int signal, detail::Ref<detail::Callback> callback);

  detail::Ref<detail::LoopCore> core_;
  std::function<void(Loop&, const ExceptionContext&)> exception_handler_;
  std::function<void(std::string_view)> warning_handler_;
};

// A loop on the real clock. Debug as CORUN_DEBUG says: set and not empty or "0".
CORUN_API std::unique_ptr<Loop> new_event_loop();

// The loop that runs in this thread. Errors: RuntimeError "no running event loop".
CORUN_API Loop& get_running_loop();

namespace detail {
// A report where no loop may be left: to the loop's handler, else in the default form on stderr.
CORUN_API void report(LoopCore* loop, const ExceptionContext& context) noexcept;
CORUN_API void warn(LoopCore* loop, std::string_view message) noexcept;
}  // namespace detail

}  // namespace corun
