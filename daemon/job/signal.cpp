// SPDX-License-Identifier: MIT
// A future a waiter, not one for all: cancelling a task cancels the future it waits for, and the other waiters must not notice.
#include "daemon/job/signal.hpp"

namespace corund::job {

corun::Coro<> Signal::wait() {
  corun::Future<> mine;
  waiters_.push_back(mine);
  try {
    co_await mine;
  } catch (...) {
    std::erase_if(waiters_, [](const corun::Future<>& f) { return f.done(); });
    throw;
  }
}

void Signal::wake_all() {
  waking_.swap(waiters_);
  for (auto& waiter : waking_)
    if (!waiter.done()) waiter.set_result();
  waking_.clear();
}

}  // namespace corund::job
