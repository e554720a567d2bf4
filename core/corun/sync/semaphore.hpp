// SPDX-License-Identifier: MIT
// Floor 4. Semaphore and BoundedSemaphore: at most so many tasks at a time.
#pragma once

#include <corun/sync/with_held.hpp>
#include <limits>

namespace corun {

// A number of permits. Made anywhere; belongs to the loop of its first wait that parks.
// Fairness: first come, first served. While somebody waits, or was given a permit and has not run yet, a newcomer waits as well.
// Lifetime: must outlive those who hold a permit by acquire(). Destroyed while tasks wait, it ends their wait with a CancelledError that
// says so; a with() under way does not touch it any more.
// Threads: its loop's thread only.
// Source: asyncio.Semaphore.
class CORUN_API Semaphore {
 public:
  // Errors: ValueError for a negative number.
  explicit Semaphore(int permits = 1) : Semaphore(permits, std::numeric_limits<int>::max()) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // One permit is the caller's when this returns. Does not suspend, nor look at cancellation, unless locked().
  // Cancellation: no permit is taken; one that had been given already goes to the next one.
  // Errors: RuntimeError where the semaphore is bound to another loop.
  Coro<> acquire();

  // Gives a permit back, or adds one: it goes to the one that waits longest. Errors: a BoundedSemaphore's ValueError.
  void release();

  // Whether acquire() would have to wait.
  bool locked() const noexcept { return permits_ == 0 || !waiters_.empty(); }

  // Runs body(args...), a callable that returns a Coro, while holding a permit; gives what it gives or throws what it throws. The permit
  // is given back in every case. A lambda with [&] is safe here. Source: `async with semaphore`.
  template <class F, class... A>
  auto with(F body, A... args) {
    return detail::with_held(*this, std::move(body), std::move(args)...);
  }

  // Library-internal.
  detail::WaitList& waiters() noexcept { return waiters_; }

 protected:
  Semaphore(int permits, int permits_max);

 private:
  void hand_out();

  int permits_;      // those that are nobody's
  int permits_max_;  // what release() may bring permits_ to
  detail::LoopBinding binding_{"a semaphore"};
  detail::WaitList waiters_{binding_};  // each woken one has a permit
};

// A Semaphore that refuses to be released more often than it was acquired: ValueError. Source: asyncio.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
 public:
  // Errors: ValueError for a negative number.
  explicit BoundedSemaphore(int permits = 1) : Semaphore(permits, permits) {}
};

}  // namespace corun
