// SPDX-License-Identifier: MIT
// Floor 4. Barrier: so many tasks meet, then all go on.
#pragma once

#include <corun/coro/coro.hpp>
#include <corun/sync/wait_list.hpp>
#include <cstdint>

namespace corun {

namespace detail {

class DoneAlreadyAwaiter {
 public:
  DoneAlreadyAwaiter() noexcept {}
  bool await_ready() const noexcept { return true; }
  template <class P>
  void await_suspend(std::coroutine_handle<P>) const noexcept {}
  void await_resume() const noexcept {}
};

// What has happened by the time it is returned. May be awaited, as asyncio's coroutine must be, or dropped.
struct DoneAlready {
  DoneAlreadyAwaiter operator co_await() const noexcept { return DoneAlreadyAwaiter(); }
};

}  // namespace detail

// A meeting point for a fixed number of tasks, again and again. Belongs to the loop of its first wait that parks.
//
// It fills until the last party arrives, then drains: all go on, and who comes meanwhile waits outside until the last of them has left.
// Lifetime: destroyed while tasks wait, it ends their wait with a CancelledError that says so.
// Threads: its loop's thread only.
// Source: asyncio.Barrier.
class CORUN_API Barrier {
 public:
  // Errors: ValueError for less than one.
  explicit Barrier(int parties);
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Returns once all parties wait: a number from 0 to parties - 1, each given once, in the order of arrival. The last one does not suspend.
  // Errors: BrokenBarrierError where the barrier is broken, or is aborted or reset before this task has gone on. RuntimeError where it is
  // bound to another loop.
  // Cancellation: the task leaves, the barrier goes on filling for the others.
  Coro<int> wait();

  // Back to the empty state: who waits inside gets BrokenBarrierError; a broken barrier is whole again. Takes effect at the call.
  detail::DoneAlready reset();
  // Breaks it: who waits, or comes before the next reset(), gets BrokenBarrierError. Takes effect at the call.
  detail::DoneAlready abort();

  int parties() const noexcept { return parties_; }
  // How many wait for the rest; 0 while it drains.
  int n_waiting() const noexcept { return state_ == State::filling ? inside_ : 0; }
  bool broken() const noexcept { return state_ == State::broken; }

 private:
  enum class State : std::uint8_t { filling, draining, resetting, broken };
  class Inside;
  void leave();

  const int parties_;
  int inside_ = 0;
  State state_ = State::filling;  // draining and resetting: some are inside still
  detail::LoopBinding binding_{"a barrier"};
  detail::WaitList fellows_{binding_};   // inside, until the state changes
  detail::WaitList outside_{binding_};  // until the ones before have left
};

}  // namespace corun
