// SPDX-License-Identifier: MIT
// A permit is given to a waiter when it is woken, not when it runs. Free permits beside a waiting task exist only while a woken one has
// not run: a newcomer waited behind it although a permit was left. So whoever has been woken hands out what is free when it runs.
#include <corun/base/errors.hpp>
#include <corun/sync/semaphore.hpp>

namespace corun {

Semaphore::Semaphore(int permits, int permits_max) : permits_(permits), permits_max_(permits_max) {
  if (permits < 0) throw ValueError("Semaphore initial value must be >= 0");
}

Coro<> Semaphore::acquire() {
  if (!locked()) {
    --permits_;
    co_return;
  }
  detail::WaitNode node;
  if (!co_await waiters_.park(node)) {
    if (node.woken()) {
      ++permits_;
      hand_out();
    }
    node.throw_cancelled();
  }
  hand_out();
}

void Semaphore::release() {
  if (permits_ >= permits_max_) throw ValueError("BoundedSemaphore released too many times");
  ++permits_;
  hand_out();
}

void Semaphore::hand_out() {
  while (permits_ > 0 && waiters_.wake_first()) --permits_;
}

}  // namespace corun
