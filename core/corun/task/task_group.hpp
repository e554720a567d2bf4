// SPDX-License-Identifier: MIT
// Floor 3. task_group(): child tasks that end before their parent goes on.
#pragma once

#include <corun/task/future.hpp>
#include <corun/task/task.hpp>
#include <corun/task/timeout.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace corun {

// The group that a body given to task_group() sees. Source: asyncio.TaskGroup.
class CORUN_API TaskGroup {
 public:
  // As corun::create_task, in this group. A refused coroutine is closed.
  // Errors: RuntimeError "TaskGroup is finished", "TaskGroup is shutting down".
  template <class T>
  Task<T> create_task(Coro<T> coro, TaskOptions options = {}, std::source_location where = std::source_location::current()) {
    try {
      check_open();
    } catch (...) {
      coro.close();
      throw;
    }
    Task<T> task = detail::create_task_on(detail::running_loop(), coro, options, where);
    adopt(task.core());
    return task;
  }
  template <class F>
    requires(detail::is_coro_v<std::invoke_result_t<F&>>)
  auto create_task(F body, TaskOptions options = {}, std::source_location where = std::source_location::current()) {
    check_open();
    auto task = corun::create_task(std::move(body), options, where);
    adopt(task.core());
    return task;
  }

  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Library-internal.
  TaskGroup();
  ~TaskGroup();
  Coro<> exit(std::exception_ptr error);

 private:
  class Child;

  void check_open() const;
  void adopt(detail::TaskCore& task);
  void abort();
  void child_done(Child& child);
  static bool leaves_loop(const std::exception_ptr& error);

  AnyTask parent_;
  IntrusiveList<Child, ListLink> children_;  // alive, in the order in which they were made
  std::vector<std::exception_ptr> errors_;
  std::exception_ptr base_error_;  // KeyboardInterrupt, SystemExit: thrown bare
  std::optional<Future<>> completed_;
  bool exiting_ = false;
  bool aborting_ = false;
  bool parent_cancel_requested_ = false;
};

// Awaits body(TaskGroup&, args...), then every task that was made in the group; gives the body's result. The first child that fails
// cancels its siblings and the body; all are waited for, then an ExceptionGroup holds what failed. A body that throws does the same.
// Errors: ExceptionGroup "unhandled errors in a TaskGroup"; CancelledError where the parent was cancelled and no child failed.
// Lifetime: the body, which may be a lambda with [&], and the arguments live in this frame. Source: asyncio.TaskGroup.
template <class Body, class... Args>
auto task_group(Body body, Args... args) -> Coro<detail::body_value_t<Body, TaskGroup&, Args...>> {
  using T = detail::body_value_t<Body, TaskGroup&, Args...>;
  TaskGroup group;
  std::exception_ptr error;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await body(group, std::move(args)...);
    } catch (...) {
      error = std::current_exception();
    }
    co_await group.exit(std::move(error));
  } else {
    std::optional<T> result;
    try {
      result.emplace(co_await body(group, std::move(args)...));
    } catch (...) {
      error = std::current_exception();
    }
    co_await group.exit(std::move(error));
    co_return std::move(*result);
  }
}

}  // namespace corun
