// SPDX-License-Identifier: MIT
#include <atomic>
#include <corun/loop/loop.hpp>
#include <corun/task/context.hpp>
#include <corun/task/task_core.hpp>

namespace corun::detail {
namespace {

// A function to be called when a future is done: waits in the future's list, then in the ready queue.
class DoneFunction final : public Callback, public DoneNode {
 public:
  DoneFunction(std::function<void(FutureCore&)> function, const Context* context)
      : Callback(context), function_(std::move(function)), id_(next_id()) {}

  void done(FutureCore& future) noexcept override {
    future_ = Ref<FutureCore>(&future);
    future.loop->make_ready(*this);  // the list's hold passes to the queue
  }
  void dropped() noexcept override { release(); }
  CallbackId callback_id() const noexcept override { return id_; }
  const std::type_info& type() const noexcept override { return function_.target_type(); }

 private:
  void call() override { function_(*future_); }

  static CallbackId next_id() {
    static std::atomic<CallbackId> last{0};
    return ++last;
  }

  std::function<void(FutureCore&)> function_;
  CallbackId id_;
  Ref<FutureCore> future_;
};

}  // namespace

void FutureCore::drop_waiters() noexcept {
  while (DoneNode* node = waiters.pop_front()) node->dropped();
}

void FutureCore::report_unread() noexcept {
  exception_unread = false;
  uses = 1;
  TaskCore* task = as_task();
  {
    ScopeCore* scope = task && task->keeps_scope && task->scope != &loop->root_scope ? task->scope : nullptr;
    AmbientGuard ambient(task ? &task->context : thread_state.context, scope);  // fact 41
    report(loop, {.message = task ? "Task exception was never retrieved" : "Future exception was never retrieved",
                  .exception = error,
                  .task = task ? std::optional<AnyTask>(AnyTask(task)) : std::nullopt,
                  .where = std::string(created.file_name()) + ':' + std::to_string(created.line())});
  }
  if (--uses > 0) return;
  delete this;
}

std::string FutureCore::describe() const { return "Future"; }

bool FutureCore::cancel(const std::string& message) {
  exception_unread = false;
  if (done()) return false;
  error = std::make_exception_ptr(CancelledError(message));
  finish(State::cancelled);
  return true;
}

void FutureCore::throw_unreadable() {
  if (state == State::pending) throw InvalidStateError("Result is not ready.");
  exception_unread = false;
  std::rethrow_exception(error);
}

std::exception_ptr FutureCore::exception() {
  if (state == State::cancelled) std::rethrow_exception(error);
  if (state == State::pending) throw InvalidStateError("Exception is not set.");
  exception_unread = false;
  return error;
}

void FutureCore::check_pending() const {
  if (done()) throw InvalidStateError("invalid state: the future is done already");
}

void FutureCore::set_exception(std::exception_ptr exception) {
  check_pending();
  error = std::move(exception);
  exception_unread = true;
  finish(State::finished);
}

void FutureCore::finish(State how) noexcept {
  state = how;
  while (DoneNode* node = waiters.pop_front()) node->done(*this);
}

CallbackId FutureCore::add_done_callback(std::function<void(FutureCore&)> callback, const Context* context) {
  Ref<Callback> node(new DoneFunction(std::move(callback), context));
  auto& entry = static_cast<DoneFunction&>(*node.leak());
  if (done())
    entry.done(*this);
  else
    waiters.push_back(entry);
  return entry.callback_id();
}

bool FutureCore::remove_done_callback(CallbackId id) {
  for (DoneNode& node : waiters) {
    if (node.callback_id() != id) continue;
    node.unlink();
    node.dropped();
    return true;
  }
  return false;
}

namespace {

[[noreturn, gnu::noinline]] void refuse_wait(TaskCore& task, FutureCore& future) {
  if (&future == static_cast<FutureCore*>(&task)) throw RuntimeError("Task cannot await on itself: " + task.describe());
  throw RuntimeError("Task " + task.describe() + " got " + future.describe() + " attached to a different loop");
}

}  // namespace

void DoneAwaiterBase::wait_on(Chain& chain) {
  auto& task = static_cast<TaskCore&>(chain);
  if (future_.get() == static_cast<FutureCore*>(&task) || future_->loop != task.loop) [[unlikely]]
    refuse_wait(task, *future_);
  chain_ = &chain;
  future_->waiters.push_back(*this);
  chain.park(this);
  // A request made in this very step goes to what is waited for, as asyncio does at the end of a step.
  if (chain.must_cancel && future_->cancel(task.cancel_message())) [[unlikely]] {
    chain.must_cancel = false;
    if (chain.waiter) task.note_pending_cancel();
  }
}

TaskCore* DoneAwaiterBase::waiting_task() const noexcept { return static_cast<TaskCore*>(chain_); }

}  // namespace corun::detail
