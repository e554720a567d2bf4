// SPDX-License-Identifier: MIT
// Floor 3. A request to cancel that a task has not felt yet: since when, and in debug mode the report of one that takes long.
//
// Most requests make their task ready at once. One stays pending where the wait cannot simply be ended: an operation that has to
// finish its cancellation and may never do so, a task that is awaited and cleans up, a lock that is taken again in any case.
#pragma once

#include <corun/base/clock.hpp>
#include <corun/base/export.hpp>
#include <corun/loop/timer_heap.hpp>
#include <string>

namespace corun::detail {

struct TaskCore;

// Lives with what a task seldom has. Armed in debug mode only, from the request to the task's next step.
class CORUN_API CancelWatch final : public TimerNode {
 public:
  explicit CancelWatch(TaskCore& task) noexcept : task_(&task) {}
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

  void start();          // a request was made, and the task waits on
  void stop() noexcept;  // it goes on, or is over
  time_point since() const noexcept { return since_; }

  void expired() noexcept override;

 private:
  TaskCore* task_;
  time_point since_{};
};

// "5 s", "0.25 s": to the millisecond.
CORUN_API std::string seconds_text(nanoseconds duration);

}  // namespace corun::detail
