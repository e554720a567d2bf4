// SPDX-License-Identifier: MIT
// release() frees the lock and wakes the first waiter, which takes it when it runs; in between nobody else can, because a woken waiter
// still stands in the list. Handing the lock over locked would be the same to the waiters, but not to who looks at locked().
#include <corun/base/errors.hpp>
#include <corun/sync/lock.hpp>

namespace corun {

Coro<> Lock::acquire() {
  if (!locked_ && waiters_.empty()) {
    locked_ = true;
    co_return;
  }
  detail::WaitNode node;
  if (!co_await waiters_.park(node)) {
    if (node.woken()) waiters_.wake_first();  // its turn goes to the next one
    node.throw_cancelled();
  }
  locked_ = true;
}

Coro<bool> Lock::acquire_deaf() {
  if (locked_ || !waiters_.empty()) {
    detail::WaitNode node(detail::WaitNode::Hearing::deaf);
    if (!co_await waiters_.park(node)) co_return false;
  }
  locked_ = true;
  co_return true;
}

void Lock::release() {
  if (!locked_) throw RuntimeError("Lock is not acquired.");
  locked_ = false;
  waiters_.wake_first();
}

}  // namespace corun
