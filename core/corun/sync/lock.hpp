// SPDX-License-Identifier: MIT
// Floor 4. Lock: one task at a time, in the order in which they came.
#pragma once

#include <corun/sync/with_held.hpp>

namespace corun {

class Condition;

// Mutual exclusion between tasks of one loop, across suspensions. Not recursive; nobody owns it: who calls release() need not be who
// acquired it. Made anywhere; belongs to the loop of its first wait that parks.
// Fairness: first come, first served. While a task that was woken has not run yet, a newcomer waits behind it.
// Lifetime: must outlive those who hold it by acquire(). Destroyed while tasks wait, it ends their wait with a CancelledError that says
// so; a with() under way does not touch it any more.
// Threads: its loop's thread only.
// Source: asyncio.Lock.
class CORUN_API Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // The lock is the caller's when this returns. A free lock that nobody waits for is taken without suspending and without a look at
  // cancellation. Cancellation: the lock is not taken; a turn that had come already goes to the next one.
  // Errors: RuntimeError where the lock is bound to another loop.
  Coro<> acquire();

  // Frees it and wakes the one that waits longest. Errors: RuntimeError where it is free.
  void release();

  // False also in the moment between a release() and the next task's turn.
  bool locked() const noexcept { return locked_; }

  // Runs body(args...), a callable that returns a Coro, while holding the lock; gives what it gives or throws what it throws. The lock is
  // free again in every case. A lambda with [&] is safe here. Errors: RuntimeError where the body returns with the lock freed.
  // Source: `async with lock`.
  template <class F, class... A>
  auto with(F body, A... args) {
    return detail::with_held(*this, std::move(body), std::move(args)...);
  }

  // Library-internal.
  detail::WaitList& waiters() noexcept { return waiters_; }

 private:
  friend Condition;
  // Takes the lock whatever is asked of the task meanwhile. False: the lock is gone.
  Coro<bool> acquire_deaf();

  bool locked_ = false;
  detail::LoopBinding binding_{"a lock"};
  detail::WaitList waiters_{binding_};  // at most one of them woken: the turn that release() gave
};

}  // namespace corun
