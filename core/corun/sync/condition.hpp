// SPDX-License-Identifier: MIT
// Floor 4. Condition: wait, with a lock, until another task says that something has changed.
#pragma once

#include <corun/sync/lock.hpp>
#include <optional>

namespace corun {

// A condition variable. Belongs to the loop of its first wait that parks.
// Lifetime: a lock that is given must outlive the condition. Destroyed while tasks wait, it ends their wait with a CancelledError that
// says so.
// Threads: its loop's thread only.
// Source: asyncio.Condition.
class CORUN_API Condition {
 public:
  // With a lock of its own.
  Condition();
  // With one that others share.
  explicit Condition(Lock& lock) noexcept : lock_(&lock) {}
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  // The lock's.
  Coro<> acquire() { return lock_->acquire(); }
  void release() { lock_->release(); }
  bool locked() const noexcept { return lock_->locked(); }
  template <class F, class... A>
  auto with(F body, A... args) {
    return lock_->with(std::move(body), std::move(args)...);
  }

  // Frees the lock, waits for a notification, takes the lock again and returns. It may return without a notification of its own (one
  // that a cancelled task passed on): look at the state again, or use wait_for().
  // Cancellation: the lock is taken again first, however long that takes, then CancelledError is thrown; a notification that had come
  // already goes to the next one. Only where the condition or its lock is destroyed meanwhile, the lock is not held afterwards.
  // Errors: RuntimeError where the lock is free, or the condition is bound to another loop; the lock is then as it was.
  Coro<> wait();

  // Waits until predicate() is true, and gives its last value; does not suspend where it is true at once. It is called with the lock held.
  template <class F>
  auto wait_for(F predicate) -> Coro<std::decay_t<std::invoke_result_t<F&>>> {
    while (true) {
      auto value = std::invoke(predicate);
      if (value) co_return value;
      co_await wait();
    }
  }

  // Wakes n of those who wait, the longest first; they go on once they have the lock. Errors: RuntimeError where the lock is free.
  void notify(std::size_t n = 1);
  void notify_all();

 private:
  void check_held() const;

  std::optional<Lock> own_;
  Lock* lock_;
  detail::LoopBinding binding_{"a condition"};
  detail::WaitList waiters_{binding_};
};

}  // namespace corun
