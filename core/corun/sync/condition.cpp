// SPDX-License-Identifier: MIT
// asyncio takes the lock again in a loop that swallows each CancelledError and throws the last one. Here the second wait is deaf: the task
// keeps its place in the lock's queue, and the request stays with the task until the lock is held.
#include <corun/base/errors.hpp>
#include <corun/loop/loop_core.hpp>
#include <corun/sync/condition.hpp>

namespace corun {

Condition::Condition() : lock_(&own_.emplace()) {}

Coro<> Condition::wait() {
  if (!lock_->locked()) throw RuntimeError("cannot wait on un-acquired lock");
  waiters_.bind(detail::running_loop());  // may throw: before the lock is given up
  detail::WaitNode node;
  detail::Visit at_condition, at_lock;
  waiters_.receive(at_condition);
  Lock* lock = lock_;
  lock->waiters().receive(at_lock);
  lock->release();
  bool notified = co_await waiters_.park(node);

  bool held = false;
  if (at_lock.host_is_there()) held = co_await lock->acquire_deaf();
  if (notified && held && !node.cancel_pending()) co_return;
  if (node.woken() && at_condition.host_is_there()) waiters_.wake_first();
  node.throw_cancelled();
}

void Condition::check_held() const {
  if (!locked()) throw RuntimeError("cannot notify on un-acquired lock");
}

void Condition::notify(std::size_t n) {
  check_held();
  while (n-- > 0 && waiters_.wake_first()) {
  }
}

void Condition::notify_all() {
  check_held();
  waiters_.wake_all();
}

}  // namespace corun
