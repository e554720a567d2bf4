// SPDX-License-Identifier: MIT
// A future a waiter, not one for all: cancelling a task cancels the future it waits for, and the other waiters must not notice.
#include "daemon/job/signal.hpp"

namespace corund::job {

corun::Coro<> Signal::wait() {
  if (!waiters_) waiters_ = std::make_unique<std::vector<corun::Future<>>>();
  corun::Future<> mine;
  waiters_->push_back(mine);
  try {
    co_await mine;
  } catch (...) {
    std::erase_if(*waiters_, [](const corun::Future<>& f) { return f.done(); });
    throw;
  }
}

// Waking runs nobody: whoever is woken is stepped later, and may wait here again then.
void Signal::wake_all() {
  for (auto& waiter : *waiters_)
    if (!waiter.done()) waiter.set_result();
  waiters_->clear();
}

}  // namespace corund::job
