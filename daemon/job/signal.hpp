// SPDX-License-Identifier: MIT
// "Something about this job has changed": what those who wait for a job or watch it are woken by. It carries nothing; whoever wakes
// looks at the job again.
#pragma once

#include <corun/corun.hpp>
#include <memory>
#include <vector>

namespace corund::job {

class Signal {
 public:
  // Returns at the next notify(). Resumes on the loop it was awaited on.
  // Cancellation: leaves nothing behind. Lifetime: the signal must outlive the wait (a JobRef sees to it).
  corun::Coro<> wait();

  // Wakes all who wait now; costs nothing where nobody does.
  void notify() {
    if (waiters_ && !waiters_->empty()) wake_all();
  }

  std::size_t waiting() const noexcept { return waiters_ ? waiters_->size() : 0; }

 private:
  void wake_all();

  // Most signals are never waited for, and a job that waits in a long queue carries one: a pointer, made by the first wait.
  std::unique_ptr<std::vector<corun::Future<>>> waiters_;
};

}  // namespace corund::job
