// SPDX-License-Identifier: MIT
// Floor 3. sleep() and checkpoint().
#pragma once

#include <chrono>
#include <corun/base/clock.hpp>
#include <corun/coro/coro.hpp>
#include <corun/loop/loop_core.hpp>

namespace corun {

namespace detail {

// Parks until a time on the loop's clock. Lives in the awaiting frame; a cancelled one takes its timer out of the heap.
class CORUN_API SleepAwaiter final : public Waiter, public TimerNode {
 public:
  explicit SleepAwaiter(time_point until) noexcept { when = until; }
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;
  ~SleepAwaiter();

  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    park(*frame.chain);
  }
  void await_resume() {
    deliver_cancel(*chain_);
    if (cancelled_) throw_cancelled(*chain_);
  }

  bool cancel(const std::string& message) override;
  const char* what() const noexcept override { return "a timer"; }
  void expired() noexcept override { wake(*chain_); }

 private:
  void park(Chain& chain);
  Chain* chain_ = nullptr;
  bool cancelled_ = false;
};

// Gives the others a pass.
class CORUN_API YieldAwaiter {
 public:
  YieldAwaiter() noexcept {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) noexcept {
    FrameBase& frame = h.promise();
    chain_ = frame.chain;
    chain_->park(nullptr);
    wake(*chain_);
  }
  void await_resume() const { deliver_cancel(*chain_); }

 private:
  Chain* chain_ = nullptr;
};

// Looks at signals and at a pending cancel; yields only where the loop has to throw an interrupt.
class CORUN_API CheckpointAwaiter {
 public:
  CheckpointAwaiter() noexcept {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    chain_ = frame.chain;
    return look();
  }
  void await_resume() const { deliver_cancel(*chain_); }

 private:
  bool look();
  Chain* chain_ = nullptr;
};

template <class A>
struct AwaitableOf {
  A operator co_await() const { return A(); }
};

struct SleepUntil {
  time_point until;
  SleepAwaiter operator co_await() const { return SleepAwaiter(until); }
};

// Only for a delay above zero. Named as the public one, which is what call graphs show.
CORUN_API Coro<> sleep(nanoseconds delay);

}  // namespace detail

// Sleeps for at least `delay` on the loop's clock. Zero or less: the others get one pass, no timer is set.
// Errors: ValueError for NaN. Cancellation: at once; the timer is taken back. Resumed by the loop. Source: asyncio.sleep.
template <class Rep, class Period>
Coro<> sleep(std::chrono::duration<Rep, Period> delay) {
  nanoseconds ns = detail::to_nanoseconds(delay);
  return ns <= nanoseconds::zero() ? detail::CoroAccess::pass() : detail::sleep(ns);
}

// For loops that compute: delivers a pending cancellation or signal, and otherwise goes on without yielding.
CORUN_API Coro<> checkpoint();

}  // namespace corun
