// SPDX-License-Identifier: MIT
// Floor 3. wait(): until some or all of several tasks are done. Never cancels them, never throws what they threw.
#pragma once

#include <algorithm>
#include <concepts>
#include <corun/task/sleep.hpp>
#include <corun/task/task.hpp>
#include <optional>
#include <vector>

namespace corun {

// When wait() has enough: all are done, one is done, one has failed (where none does: all are done).
enum class ReturnWhen { all_completed, first_completed, first_exception };

// What wait() waits for, and for how long.
struct WaitOptions {
  std::optional<std::chrono::nanoseconds> timeout = {};
  ReturnWhen return_when = ReturnWhen::all_completed;
};

// Both in the order in which they were given, each task once.
template <class T>
struct WaitSets {
  std::vector<Task<T>> done, pending;
};

namespace detail {

// Parks until enough of several futures are done, or the time is up. One node per future, in one allocation.
class CORUN_API WaitAwaiter final : public Waiter, public TimerNode {
 public:
  WaitAwaiter(const std::vector<FutureCore*>& futures, std::optional<time_point> deadline, ReturnWhen when);
  WaitAwaiter(const WaitAwaiter&) = delete;
  WaitAwaiter& operator=(const WaitAwaiter&) = delete;
  ~WaitAwaiter();

  bool await_ready() const noexcept { return remaining_ == 0; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    park(*frame.chain);
  }
  void await_resume() {
    if (!chain_) return;
    deliver_cancel(*chain_);
    if (cancelled_) throw_cancelled(*chain_);
  }

  bool cancel(const std::string& message) override;
  const char* what() const noexcept override { return "several tasks"; }
  void expired() noexcept override { finish(); }

 private:
  struct Node final : DoneNode {
    void done(FutureCore& future) noexcept override { owner->one_done(future); }
    TaskCore* waiting_task() const noexcept override;
    WaitAwaiter* owner = nullptr;
  };

  void park(Chain& chain);
  void one_done(FutureCore& future) noexcept;
  void finish() noexcept;

  std::vector<FutureCore*> futures_;
  std::unique_ptr<Node[]> nodes_;
  std::size_t remaining_;
  std::optional<time_point> deadline_;
  ReturnWhen when_;
  Chain* chain_ = nullptr;
  bool parked_ = false;
  bool cancelled_ = false;
};

struct WaitFor {
  const std::vector<FutureCore*>& futures;
  std::optional<time_point> deadline;
  ReturnWhen when;
  WaitAwaiter operator co_await() const { return WaitAwaiter(futures, deadline, when); }
};

// The futures stay alive by their owner's handles.
CORUN_API Coro<> wait_futures(std::vector<FutureCore*> futures, std::optional<nanoseconds> timeout, ReturnWhen when);

}  // namespace detail

// Waits for the tasks; after the timeout, or as soon as return_when is met, gives which are done and which are not.
// Errors: ValueError for an empty list. Cancellation: of the waiting only. Source: asyncio.wait.
template <class T>
Coro<WaitSets<T>> wait(std::vector<Task<T>> tasks, WaitOptions options = {}) {
  if (tasks.empty()) throw ValueError("Set of Tasks/Futures is empty.");
  std::vector<Task<T>> unique;
  for (Task<T>& task : tasks)
    if (std::find(unique.begin(), unique.end(), task) == unique.end()) unique.push_back(std::move(task));
  std::vector<detail::FutureCore*> cores;
  for (const Task<T>& task : unique) cores.push_back(&task.core());
  co_await detail::wait_futures(std::move(cores), options.timeout, options.return_when);
  WaitSets<T> sets;
  for (Task<T>& task : unique) (task.done() ? sets.done : sets.pending).push_back(std::move(task));
  co_return sets;
}

// wait(a, b, c) of tasks of one type.
template <class T, std::same_as<Task<T>>... Rest>
Coro<WaitSets<T>> wait(Task<T> first, Rest... rest) {
  std::vector<Task<T>> tasks;
  tasks.push_back(std::move(first));
  (tasks.push_back(std::move(rest)), ...);
  return wait(std::move(tasks));
}

}  // namespace corun
