// SPDX-License-Identifier: MIT
// Floor 4. run_coroutine_threadsafe: other threads give a loop a coroutine, and wait for its end without a loop of their own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <corun/base/clock.hpp>
#include <corun/loop/loop.hpp>
#include <corun/task/task.hpp>
#include <memory>
#include <mutex>
#include <optional>

namespace corun {

namespace detail {

// What the two sides share: the outcome, under a mutex, and, for the loop's thread only, the task.
class CORUN_API ConcurrentCore : public std::enable_shared_from_this<ConcurrentCore> {
 public:
  virtual ~ConcurrentCore() = default;

  // Any thread.
  bool done() const;
  bool cancelled() const;
  bool cancel(const std::string& message);
  std::exception_ptr wait_for_error(std::optional<nanoseconds> timeout);  // null: there is a result

  // Hands the coroutine to the loop; it is closed where the loop refuses. Errors: RuntimeError "Event loop is closed".
  void submit(Loop& loop);

 protected:
  // Waits for the end; the lock is held on return. Errors: TimeoutError; RuntimeError in the loop's own thread.
  std::unique_lock<std::mutex> wait(std::optional<nanoseconds> timeout);
  [[noreturn]] void throw_error() const;
  bool failed() const noexcept { return state_ != State::finished || error_; }

  // The loop's thread, or whoever has the coroutine while no task has been made of it.
  virtual TaskCore* start(LoopCore& loop) = 0;      // makes the task; a reference for the caller is not counted
  virtual void close_coroutine() noexcept = 0;
  virtual void take_result(FutureCore& task) = 0;   // moves the value out of a task that has one

 private:
  class Watch;
  struct Delivery;
  enum class State : std::uint8_t { pending, finished, cancelled };

  void begin(LoopCore& loop);                                       // the loop's thread
  void end(FutureCore& task) noexcept;                              // the loop's thread
  void finish(State how, std::exception_ptr error) noexcept;        // nothing where it is done already
  void settle(std::unique_lock<std::mutex> lock, State how, std::exception_ptr error) noexcept;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::pending;
  std::exception_ptr error_;  // of a failed one, and the CancelledError of a cancelled one
  std::shared_ptr<Mailbox> mailbox_;
  TaskCore* task_ = nullptr;  // the loop's thread only: while it is not done
};

template <class T>
class ConcurrentState final : public ConcurrentCore {
 public:
  explicit ConcurrentState(Coro<T> coro) noexcept : coro_(std::move(coro)) {}

  T get(std::optional<nanoseconds> timeout) {
    auto lock = wait(timeout);
    if (failed()) throw_error();
    return slot_.read();
  }

 private:
  TaskCore* start(LoopCore& loop) override {
    return &create_task_on(loop, coro_, {}, std::source_location::current()).core();
  }
  void close_coroutine() noexcept override { coro_.close(); }
  void take_result(FutureCore& task) override { slot_.move_from(static_cast<TaskState<T>&>(task).slot); }

  Coro<T> coro_;
  ResultSlot<T> slot_;
};

}  // namespace detail

// The outcome of a coroutine that runs on a loop, for other threads. A shared handle; dropping it does not stop the coroutine.
// Threads: any. Source: concurrent.futures.Future, as asyncio.run_coroutine_threadsafe gives it.
template <class T>
class [[nodiscard("a coroutine that nobody waits for still runs, but nobody hears of its end")]] ConcurrentFuture {
 public:
  using value_type = T;

  // Blocks this thread until the end and gives the result: a copy where T can be copied, else the value itself, once.
  // Errors: what the coroutine threw; CancelledError where it was cancelled; RuntimeError where the loop was closed before the end, and, when
  // it is not done, in the thread that runs the loop, which would wait for itself.
  T get() const { return state_->get(std::nullopt); }
  // The same, for no longer than `timeout`, which is real time on every loop. Errors: TimeoutError; the coroutine goes on.
  template <class Rep, class Period>
  T get(std::chrono::duration<Rep, Period> timeout) const {
    return state_->get(detail::to_nanoseconds(timeout));
  }

  // Blocks as get() and gives what the coroutine threw; null where it returned. Errors: CancelledError, RuntimeError, as get().
  std::exception_ptr exception() const { return state_->wait_for_error(std::nullopt); }

  // Ends the waiting at once: this is cancelled from now on, and the task is asked to cancel. What the task makes of the request is not
  // heard here any more. False: it was done.
  bool cancel(std::string message = {}) const { return state_->cancel(message); }

  bool done() const { return state_->done(); }
  bool cancelled() const { return state_->cancelled(); }

  // Library-internal.
  explicit ConcurrentFuture(std::shared_ptr<detail::ConcurrentState<T>> state) noexcept : state_(std::move(state)) {}

 private:
  std::shared_ptr<detail::ConcurrentState<T>> state_;
};

// Runs a coroutine as a task of `loop`, from another thread, in a copy of this thread's context. It runs when the loop does.
// Errors: RuntimeError "Event loop is closed" (the coroutine is closed), or where the coroutine was awaited already. A loop that is closed
// before the task is done gives RuntimeError to who waits.
// Lifetime: the loop must live through the call; the handle may outlive it.
// Threads: any. Source: asyncio.run_coroutine_threadsafe.
template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Coro<T> coro, Loop& loop) {
  if (!coro.valid()) throw RuntimeError("cannot reuse already awaited coroutine");
  auto state = std::make_shared<detail::ConcurrentState<T>>(std::move(coro));
  state->submit(loop);
  return ConcurrentFuture<T>(std::move(state));
}

}  // namespace corun
