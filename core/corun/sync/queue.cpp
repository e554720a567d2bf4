// SPDX-License-Identifier: MIT
// A wake-up is a hint that there is an item (or room), not the item itself: who is woken looks again, and waits on in its old place where
// somebody was faster. So a task that is cancelled just after its wake-up loses nothing: the item is still in the queue, and the hint is
// passed to the next one.
#include <algorithm>
#include <corun/base/errors.hpp>
#include <corun/sync/queue.hpp>

namespace corun::detail {

Coro<> QueueCore::wait_for_item() {
  WaitNode node;
  while (size_ == 0) {
    check_open();
    if (co_await getters_.park(node)) continue;
    if (node.woken() && size_ > 0) getters_.wake_first();
    node.throw_cancelled();
  }
}

Coro<> QueueCore::wait_for_room() {
  WaitNode node;
  while (full()) {
    check_open();
    if (co_await putters_.park(node)) continue;
    if (node.woken() && !full()) putters_.wake_first();
    node.throw_cancelled();
  }
}

Coro<> QueueCore::join() {
  if (unfinished_ == 0) co_return;
  WaitNode node;
  if (!co_await joiners_.park(node)) node.throw_cancelled();
}

void QueueCore::added() {
  ++size_;
  ++unfinished_;
  getters_.wake_first();
}

void QueueCore::removed() {
  --size_;
  putters_.wake_first();
}

void QueueCore::task_done() {
  if (unfinished_ == 0) throw ValueError("task_done() called too many times");
  if (--unfinished_ == 0) joiners_.wake_all();
}

void QueueCore::shutdown(bool immediate) {
  shut_down_ = true;
  if (immediate) {
    unfinished_ -= std::min(unfinished_, size_);
    size_ = 0;
    if (unfinished_ == 0) joiners_.wake_all();
  }
  getters_.wake_all();
  putters_.wake_all();
}

void QueueCore::check_open() const {
  if (shut_down_) throw QueueShutDown();
}

}  // namespace corun::detail
