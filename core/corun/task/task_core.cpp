// SPDX-License-Identifier: MIT
// The pump and the rules of cancellation. A step resumes the top frame until the chain parks or is empty; frames only move
// `top`. Requests: cancel() counts, hands the request to what parked the chain, and only where that cannot take it sets `must_cancel`,
// which is thrown at the next resumption. See asyncio/tasks.py for each rule; the tests carry the numbers of the facts.
#include <corun/coro/async_generator.hpp>
#include <corun/loop/loop.hpp>
#include <corun/task/context.hpp>
#include <corun/task/task_core.hpp>
#include <corun/task/task_scope.hpp>
#include <typeinfo>
#include <vector>

namespace corun::detail {
namespace {

enum class Kind { error, cancelled, leaves_loop };

// What an escaping exception means for its task. The exact types are told apart without a throw.
Kind classify(const std::exception_ptr& error) {
  const std::type_info* type = error.__cxa_exception_type();
  if (*type == typeid(CancelledError)) return Kind::cancelled;
  if (*type == typeid(KeyboardInterrupt) || *type == typeid(SystemExit)) return Kind::leaves_loop;
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    return Kind::cancelled;
  } catch (const KeyboardInterrupt&) {
    return Kind::leaves_loop;
  } catch (const SystemExit&) {
    return Kind::leaves_loop;
  } catch (...) {
    return Kind::error;
  }
}

}  // namespace

void throw_cancelled(Chain& chain) {
  auto& task = static_cast<TaskCore&>(chain);
  chain.must_cancel = false;
  throw CancelledError(task.cancel_message());
}

void remember_cancel_message(Chain& chain, const std::string& message) {
  static_cast<TaskCore&>(chain).set_cancel_message(message);
}

void wake(Chain& chain) noexcept { static_cast<TaskCore&>(chain).make_ready(); }

void TaskCore::DropExtras::operator()(Extras* extras) const noexcept { delete extras; }

TaskCore::Extras& TaskCore::extras() const {
  if (!extras_) extras_.reset(new Extras(const_cast<TaskCore&>(*this)));
  return *extras_;
}

const std::string& TaskCore::name() const {
  Extras& all = extras();
  if (all.name.empty()) all.name = "Task-" + std::to_string(number);
  return all.name;
}

void TaskCore::set_name(std::string name) { extras().name = std::move(name); }

const std::string& TaskCore::cancel_message() const {
  static const std::string none;
  return extras_ ? extras_->cancel_message : none;
}

void TaskCore::set_cancel_message(const std::string& message) {
  if (extras_ || !message.empty()) extras().cancel_message = message;
}

std::string TaskCore::describe() const { return "Task '" + name() + "'"; }

CORUN_INLINE void TaskCore::step() {
  if (!started) {
    if (must_cancel) return cancel_unstarted();
    started = true;
  }
  ThreadState& current = thread_state;
  current.task = this;
  current.context = &context;
  current.scope = scope == &loop->root_scope ? nullptr : scope;
  if (loop->instrumented) [[unlikely]]
    publish();
  waiter = nullptr;
  parked = false;
  cancel_pends = false;
  if (accounted) [[unlikely]]
    return measured_step();
  do top->handle().resume();
  while (!parked && top);
  if (!top) end_of_body();
}

void TaskCore::start_eagerly() {
  ThreadState saved = thread_state;
  struct Restore {
    ThreadState& saved;
    ~Restore() { thread_state = saved; }
  } restore{saved};
  Ref<TaskCore> hold(this);
  step();
}

void TaskCore::run() {
  step();
  thread_state.task = nullptr;
  thread_state.context = nullptr;
  thread_state.scope = nullptr;
}

void TaskCore::measured_step() {
  auto begin = std::chrono::steady_clock::now();
  const auto at = top->await_at;
  Ref<ScopeCore> whose(scope);  // the end of the body may let it go
  do top->handle().resume();
  while (!parked && top);
  auto took = std::chrono::duration_cast<nanoseconds>(std::chrono::steady_clock::now() - begin).count();
  ++whose->steps;
  whose->loop_ns += took;
  if (took > whose->longest_step_ns) {
    whose->longest_step_ns = took;
    whose->longest_step_at = at;
  }
  if (!top) end_of_body();
}

void TaskCore::publish() noexcept {
  if (extras_) extras_->watch.stop();
  if (!loop->probe.enabled.load(std::memory_order_relaxed)) return;
  StepProbe& probe = loop->probe;
  const auto& label = scope->probe_label;
  for (std::size_t i = 0; i < label.size(); ++i) probe.scope_label[i].store(label[i], std::memory_order_relaxed);
  const auto& at = top->await_at;
  bool known = at.line() != 0;
  probe.file.store(known ? at.file_name() : nullptr, std::memory_order_relaxed);
  probe.line.store(at.line(), std::memory_order_relaxed);
  probe.function.store(top->function.function_name(), std::memory_order_relaxed);
}

// Fact 113: the body never runs; this is no coroutine that somebody forgot to await.
void TaskCore::cancel_unstarted() {
  must_cancel = false;
  destroy_chain(*this);
  bottom = nullptr;
  drop_body();
  error = std::make_exception_ptr(CancelledError(cancel_message()));
  settle(State::cancelled);
}

CORUN_INLINE void TaskCore::drop_frame() noexcept {
  bottom->handle().destroy();
  bottom = nullptr;
  drop_body();
}

void TaskCore::end_of_body() {
  if (bottom->error) [[unlikely]]
    return fail(std::move(bottom->error));
  if (must_cancel) [[unlikely]]
    return cancel_at_end();
  take_value();
  drop_frame();
  settle(State::finished);
}

// Fact 115: the request came in the step in which the body returned.
void TaskCore::cancel_at_end() {
  must_cancel = false;
  drop_frame();
  error = std::make_exception_ptr(CancelledError(cancel_message()));
  settle(State::cancelled);
}

void TaskCore::fail(std::exception_ptr exception) {
  drop_frame();
  Kind kind = classify(exception);
  error = std::move(exception);
  if (kind == Kind::cancelled) return settle(State::cancelled);
  exception_unread = true;
  if (kind == Kind::error) return settle(State::finished);
  if (scope->fail_on_exit) return fail_scope();
  std::exception_ptr leaving = error;
  settle(State::finished);
  std::rethrow_exception(leaving);
}

// What would leave the loop stays with the scope: its other tasks are asked to cancel, as a loop's are when it is left.
void TaskCore::fail_scope() {
  Ref<ScopeCore> owner(scope);  // settle() may drop the task's hold on it
  if (!owner->exit_error) owner->exit_error = error;
  exception_unread = false;     // exit_error() tells
  std::vector<Ref<TaskCore>> others;
  for (auto& link : owner->tasks)
    if (auto& other = static_cast<TaskCore&>(link); &other != this) others.emplace_back(&other);
  settle(State::finished);
  for (auto& other : others) other->cancel("a task of the same scope wants to exit");
}

void TaskCore::settle(State how) noexcept {
  TaskLink::unlink();
  if (extras_) extras_->watch.stop();
  --loop->tasks_alive;
  if (scope->tasks.empty() && scope != &loop->root_scope) scope->unlink();
  ScopeCore* owner = scope;
  keeps_scope = exception_unread;
  finish(how);
  if (!keeps_scope) [[likely]] {
    scope = &loop->root_scope;
    owner->release();
  }
  release();  // the loop's hold; may be the last
}

bool TaskCore::cancel(const std::string& message) {
  exception_unread = false;
  if (done()) return false;
  ++cancel_requests;
  if (!waiter || !waiter->cancel(message)) {
    must_cancel = true;
    set_cancel_message(message);
  }
  if (waiter) note_pending_cancel();
  return true;
}

// What was asked has not made the task ready: an operation that takes its time, a task that cleans up, or a wait that is deaf.
void TaskCore::note_pending_cancel() {
  if (cancel_pends) return;
  cancel_pends = true;
  extras().watch.start();
}

std::optional<nanoseconds> TaskCore::cancel_pending() const noexcept {
  if (!cancel_pends || !waiter) return std::nullopt;
  return loop->now() - extras_->watch.since();
}

int TaskCore::uncancel() noexcept {
  if (cancel_requests > 0) --cancel_requests;
  if (cancel_requests == 0) must_cancel = false;
  return cancel_requests;
}

void TaskCore::dispose() noexcept {}  // the loop's hold stays until abandon()

void TaskCore::abandon() noexcept {
  if (!reported) report(loop, {.message = "Task was destroyed but it is pending!", .task = AnyTask(this)});
  retain();
  destroy_chain(*this);
  bottom = nullptr;
  waiter = nullptr;
  if (extras_) extras_->watch.stop();
  drop_body();
  TaskLink::unlink();
  --loop->tasks_alive;
  scope->release();
  scope = &loop->root_scope;
  release();
  release();  // the loop's hold
}

void abandon_tasks(LoopCore& loop) noexcept {
  // A frame's destructors may drop the last handles of other tasks, never start new ones: the loop is closed. They may wake others, which
  // links those into the ready queue: the records stay until that is empty again.
  std::vector<Ref<TaskCore>> held;
  auto abandon = [&held](TaskLink& link) {
    held.emplace_back(static_cast<TaskCore*>(&link));
    held.back()->abandon();
  };
  while (!loop.root_scope.tasks.empty()) abandon(loop.root_scope.tasks.front());
  while (!loop.scopes.empty()) {
    ScopeCore& scope = loop.scopes.front();
    scope.retain();
    while (!scope.tasks.empty()) abandon(scope.tasks.front());
    scope.unlink();
    scope.release();
  }
  while (!loop.generators.empty()) {
    GeneratorFrame& frame = loop.generators.front();
    frame.unlink();
    frame.loop = nullptr;
    if (frame.orphaned) generator_destroy(frame);
  }
  while (!loop.ready.empty()) loop.ready.pop().dispose();
}

std::string describe_runnable(Runnable& item) {
  if (auto* task = dynamic_cast<TaskCore*>(&item)) {
    // The coroutine it was made of, as asyncio; and the innermost one, where that is another.
    auto place = [](FrameBase& frame) {
      std::string text = function_name(frame.function) + "()";
      if (frame.await_at.line() != 0)
        text += std::string(" at ") + frame.await_at.file_name() + ":" + std::to_string(frame.await_at.line());
      return text;
    };
    std::string text = "<" + task->describe();
    if (task->bottom) text += " " + place(*task->bottom);
    if (task->top && task->top != task->bottom) text += ", in " + place(*task->top);
    return text + ">";
  }
  if (auto* callback = dynamic_cast<Callback*>(&item)) return "<Handle " + demangle(callback->type().name()) + ">";
  return "<callback>";
}

}  // namespace corun::detail
