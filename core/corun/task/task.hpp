// SPDX-License-Identifier: MIT
// Floor 3. Task<T>, create_task, current_task, all_tasks.
#pragma once

#include <concepts>
#include <corun/loop/loop.hpp>
#include <corun/task/context.hpp>
#include <corun/task/task_core.hpp>
#include <corun/task/task_scope.hpp>
#include <vector>

namespace corun {

// A coroutine that runs on the loop by itself. A shared handle: dropping it does not stop the task; it may outlive the loop.
// Awaiting it waits for its end and gives its result or throws what it threw; cancelling who awaits it cancels it.
// Threads: its loop's thread only.
// Errors: result(), exception(): CancelledError where it was cancelled, InvalidStateError while it runs.
// Source: asyncio.Task.
template <class T = void>
class Task {
 public:
  using value_type = T;

  // Asks the task to cancel: a CancelledError is thrown where it awaits, in its next step. Counts. False: it is done.
  bool cancel(std::string message = {}) const { return state_->cancel(message); }
  // How many requests have not been taken back.
  int cancelling() const noexcept { return state_->cancel_requests; }
  // Takes one request back; returns how many remain. At none, a request not delivered yet is withdrawn.
  int uncancel() const noexcept { return state_->uncancel(); }

  bool done() const noexcept { return state_->done(); }
  bool cancelled() const noexcept { return state_->state == detail::FutureCore::State::cancelled; }
  // A copy where T can be copied; otherwise the value itself, once.
  T result() const {
    state_->check_result();
    return state_->slot.read();
  }
  // Null where it returned.
  std::exception_ptr exception() const { return state_->exception(); }

  const std::string& name() const { return state_->name(); }
  void set_name(std::string name) const { state_->set_name(std::move(name)); }
  // The context it runs in.
  Context context() const { return Context(state_->context.make_cell()); }

  // Called in the loop once it is done, in a copy of the current context unless one is given.
  CallbackId add_done_callback(std::function<void(const Task&)> callback, const Context* context = nullptr) const {
    return state_->add_done_callback(
        [callback = std::move(callback)](detail::FutureCore& done) {
          callback(Task(static_cast<detail::TaskState<T>*>(&done)));
        },
        context);
  }
  bool remove_done_callback(CallbackId id) const { return state_->remove_done_callback(id); }

  auto operator co_await() const { return detail::FutureAwaiter<detail::TaskState<T>, T>(*state_); }

  operator AnyTask() const { return AnyTask(state_.get()); }
  friend bool operator==(const Task& a, const Task& b) noexcept { return a.state_ == b.state_; }

  // Library-internal.
  explicit Task(detail::TaskState<T>* state) noexcept : state_(state) {}
  detail::TaskState<T>& core() const noexcept { return *state_; }

 private:
  detail::Ref<detail::TaskState<T>> state_;
};

namespace detail {

// Makes a task on a loop that may not be running yet. Takes the coroutine only once nothing can refuse it any more.
template <class T>
Task<T> create_task_on(LoopCore& loop, Coro<T>& coro, const TaskOptions& options, std::source_location where) {
  loop.check_closed();
  Task<T> task(new TaskState<T>(loop, CoroAccess::take(coro), options, where));
  task.core().start(options.eager_start);
  return task;
}

}  // namespace detail

// Runs a coroutine as a task of the running loop. It starts in the next pass; with eager_start at once, up to its first suspension.
// Errors: RuntimeError "no running event loop" (the coroutine is closed), "Event loop is closed".
template <class T>
Task<T> create_task(Coro<T> coro, TaskOptions options = {}, std::source_location where = std::source_location::current()) {
  return detail::create_task_on(detail::running_loop(), coro, options, where);
}

// The same for a callable that returns a Coro. The callable is kept with the task, so a lambda's captures live as long as its body:
// create_task([&]() -> Coro<> { ... }). A lambda that is called in place, create_task([x]() -> Coro<> { ... }()), dangles.
template <class F>
  requires(detail::is_coro_v<std::invoke_result_t<F&>>)
auto create_task(F body, TaskOptions options = {}, std::source_location where = std::source_location::current()) {
  using T = typename std::invoke_result_t<F&>::value_type;
  detail::LoopCore& loop = detail::running_loop();
  loop.check_closed();
  Task<T> task(detail::TaskStateOf<T, F>::make(loop, std::move(body), options, where));
  task.core().start(options.eager_start);
  return task;
}

// The task in whose step this is called. Errors: RuntimeError where there is none.
CORUN_API AnyTask current_task();

// The tasks of the running loop that are not done.
CORUN_API std::vector<AnyTask> all_tasks();

namespace detail {
// The same for a loop that need not be running.
CORUN_API std::vector<AnyTask> tasks_of(LoopCore& loop);

template <class X>
inline constexpr bool is_task_v = false;
template <class T>
inline constexpr bool is_task_v<Task<T>> = true;
}  // namespace detail

}  // namespace corun
