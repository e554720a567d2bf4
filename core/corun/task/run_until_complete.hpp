// SPDX-License-Identifier: MIT
// Floor 3. Loop::run_until_complete, and how any awaitable becomes a task.
#pragma once

#include <corun/task/future.hpp>
#include <corun/task/task.hpp>

namespace corun {

namespace detail {

// An awaitable that is no coroutine, wrapped in a small one.
template <class A>
Coro<await_result_t<A>> as_coro(A awaitable) {
  co_return co_await std::move(awaitable);
}

// Runs passes until `task` is done. Errors: RuntimeError "Event loop stopped before Future completed."; what leaves the loop.
CORUN_API void run_until_done(LoopCore& loop, TaskCore& task);

// A task on `loop` for a Coro, a Task or any awaitable. A refusal leaves the argument untouched.
template <class A>
auto ensure_task(LoopCore& loop, A&& awaitable, const TaskOptions& options,
                 std::source_location where = std::source_location::current()) {
  using Plain = std::remove_cvref_t<A>;
  loop.check_closed();
  if constexpr (is_task_v<Plain>) {
    if (awaitable.core().loop != &loop)
      throw ValueError("the task belongs to a different loop than the one specified");
    return awaitable;
  } else if constexpr (is_coro_v<Plain>) {
    return create_task_on(loop, awaitable, options, where);
  } else {
    auto coro = as_coro<Plain>(std::forward<A>(awaitable));
    return create_task_on(loop, coro, options, where);
  }
}

// The result of a task that is done: moved where it can be, since its runner is the one who asked for it.
template <class T>
T take_result(Task<T>& task) {
  task.core().check_result();
  if constexpr (std::is_void_v<T> || std::is_reference_v<T>)
    return task.core().slot.read();
  else if constexpr (std::is_copy_constructible_v<T>)
    return task.core().slot.read();
  else
    return task.core().slot.take();
}

}  // namespace detail

template <Awaitable A>
auto Loop::run_until_complete(A&& main) -> await_result_t<A> {
  core_->check_closed();
  if (is_running()) throw RuntimeError("This event loop is already running");
  if (detail::thread_state.loop) throw RuntimeError("Cannot run the event loop while another loop is running");
  auto task = detail::ensure_task(*core_, std::forward<A>(main), {});
  detail::run_until_done(*core_, task.core());
  return detail::take_result(task);
}

}  // namespace corun
