// SPDX-License-Identifier: MIT
#include <corun/sync/event.hpp>

namespace corun {

void Event::set() {
  if (set_) return;
  set_ = true;
  waiters_.wake_all();
}

Coro<> Event::wait() {
  if (set_) co_return;
  detail::WaitNode node;
  if (!co_await waiters_.park(node)) node.throw_cancelled();
}

}  // namespace corun
