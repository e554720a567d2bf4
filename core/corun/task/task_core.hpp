// SPDX-License-Identifier: MIT
// Floor 3. A task's record: a future whose result a chain of frames computes, stepped by the loop.
//
// Who holds one: each handle, each awaiter, and the loop while it is not done. The record keeps the chain; when the bottom frame ends,
// its result moves into the record and the frame is destroyed, so that a finished task costs its record only.
#pragma once

#include <corun/coro/coro.hpp>
#include <corun/loop/handle.hpp>
#include <corun/task/cancel_watch.hpp>
#include <corun/task/future_core.hpp>
#include <corun/task/task_scope.hpp>
#include <memory>
#include <optional>
#include <string_view>

namespace corun {

// How a task is made. All optional.
struct TaskOptions {
  std::string_view name = {};        // default: "Task-N"
  const Context* context = nullptr;  // used as is; null: a copy of the current one
  TaskScope* scope = nullptr;        // null: the creator's
  bool eager_start = false;          // run at once up to the first suspension
};

namespace detail {

struct CORUN_API TaskCore : FutureCore, Chain, TaskLink {
  CORUN_INLINE TaskCore(LoopCore& owner, FrameBase& body, const TaskOptions& options, std::source_location where)
      : FutureCore(owner, where),
        bottom(static_cast<CoroFrame*>(&body)),
        context(options.context ? ContextSlot(cell_of(*options.context)) : current_context_slot().copy()),
        scope(&scope_for(owner, options)),
        number(++owner.task_names),
        accounted(scope->accounting) {
    if (!options.name.empty()) [[unlikely]]
      set_name(std::string(options.name));
    body.chain = this;
    top = &body;
    uses = 1;  // the loop's hold, until the end
    scope->retain();
    if (scope != &owner.root_scope && !scope->linked()) [[unlikely]]
      owner.scopes.push_back(*scope);
    scope->tasks.push_back(*this);
    ++owner.tasks_alive;
  }
  ~TaskCore() override {
    if (keeps_scope) [[unlikely]]
      scope->release();
  }

  // Puts the task on its loop: its first step is due in the next pass, or now where it starts eagerly.
  CORUN_INLINE void start(bool eagerly) {
    if (eagerly) [[unlikely]]
      return start_eagerly();
    loop->make_ready(*this);
  }

  void run() override;               // one step
  void dispose() noexcept override;  // the loop is closed while this waits for a step
  bool cancel(const std::string& message) override;
  TaskCore* as_task() noexcept override { return this; }
  std::string describe() const override;

  int uncancel() noexcept;
  const std::string& name() const;
  void set_name(std::string name);
  const std::string& cancel_message() const;
  void set_cancel_message(const std::string& message);
  // The task waits, and what it waits for has been asked to end.
  void note_pending_cancel();
  // How long it has been waiting since it was asked to cancel; nothing where no such request is pending.
  std::optional<nanoseconds> cancel_pending() const noexcept;

  // Ends a task that will not be stepped any more: frames destroyed, still pending.
  void abandon() noexcept;

  CORUN_INLINE void make_ready() noexcept {
    waiter = nullptr;
    loop->make_ready(*this);
  }

 protected:
  // The body is over: takes the bottom frame's value where there is one. Must leave nothing of the body behind.
  virtual void take_value() = 0;
  virtual void drop_body() noexcept {}

 private:
  static ScopeCore& scope_for(LoopCore& loop, const TaskOptions& options) noexcept {
    if (options.scope) [[unlikely]]
      return options.scope->core();
    const ThreadState& current = thread_state;
    return current.loop == &loop && current.scope ? *current.scope : loop.root_scope;
  }
  void start_eagerly();
  void step();
  void measured_step();
  void end_of_body();
  void cancel_at_end();
  void drop_frame() noexcept;
  void fail(std::exception_ptr exception);
  void fail_scope();
  void settle(State how) noexcept;
  void publish() noexcept;
  void cancel_unstarted();

 public:
  // What is seldom there.
  struct Extras {
    explicit Extras(TaskCore& task) noexcept : watch(task) {}
    std::string name;
    std::string cancel_message;
    CancelWatch watch;
  };
  struct DropExtras {
    CORUN_API void operator()(Extras* extras) const noexcept;
  };
  Extras& extras() const;

  CoroFrame* bottom;  // null after the end
  ContextSlot context;
  ScopeCore* scope;  // never null: the loop's root scope stands for none
  std::uint64_t number;
  mutable std::unique_ptr<Extras, DropExtras> extras_;
  std::int32_t cancel_requests = 0;
  bool started = false;
  bool accounted;         // its scope measures steps
  bool reported = false;  // that it did not end has been said already
  bool keeps_scope = false;  // after its end: nobody has read its error yet, and who is told of it asks whose it was
};

template <class T>
class TaskState : public TaskCore {
 public:
  TaskState(LoopCore& owner, CoroHandle<T> body, const TaskOptions& options, std::source_location where)
      : TaskCore(owner, body.promise(), options, where) {}
  [[no_unique_address]] ResultSlot<T> slot;

 protected:
  void take_value() override { slot.move_from(static_cast<CoroPromise<T>&>(*bottom).result); }
};

// A task that keeps the callable its coroutine came from, so that a lambda's captures live as long as the body.
template <class T, class F>
class TaskStateOf final : public TaskState<T> {
 public:
  static TaskStateOf* make(LoopCore& owner, F body, const TaskOptions& options, std::source_location where) {
    auto kept = std::make_unique<F>(std::move(body));
    Coro<T> coro = (*kept)();
    return new TaskStateOf(owner, CoroAccess::take(coro), std::move(kept), options, where);
  }

 private:
  TaskStateOf(LoopCore& owner, CoroHandle<T> body, std::unique_ptr<F> kept, const TaskOptions& options,
              std::source_location where)
      : TaskState<T>(owner, body, options, where), body_(std::move(kept)) {}
  void drop_body() noexcept override { body_.reset(); }
  std::unique_ptr<F> body_;
};

}  // namespace detail
}  // namespace corun
