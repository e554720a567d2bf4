// SPDX-License-Identifier: MIT
// asyncio's taskgroups.py, rule by rule. A child's end is looked at in a callback of its own, one pass later, as there: siblings that are
// ready in the same pass get their step before the group aborts.
#include <corun/loop/loop.hpp>
#include <corun/task/task_group.hpp>
#include <typeinfo>

namespace corun {

// Stands in the child's list of waiters, and in the group's list of children until its end was looked at.
class TaskGroup::Child final : public ListLink, public detail::Runnable, public detail::Pooled {
 public:
  Child(TaskGroup& group, detail::TaskCore& child_task) : task(&child_task), group_(&group), end_(*this) {
    child_task.waiters.push_back(end_);
  }
  ~Child() { end_.unlink(); }

  void run() override {
    TaskGroup* group = group_;
    if (!group) {
      delete this;
      return;
    }
    detail::AmbientGuard ambient(nullptr, nullptr);
    group->child_done(*this);  // deletes
  }
  void dispose() noexcept override {
    unlink();
    delete this;
  }
  // The group goes first: only where its loop is torn down.
  void orphan() noexcept {
    group_ = nullptr;
    unlink();
    if (!queued_) delete this;
  }

  detail::Ref<detail::TaskCore> task;

 private:
  struct End final : detail::DoneNode {
    explicit End(Child& c) : child(c) {}
    void done(detail::FutureCore& future) noexcept override {
      child.queued_ = true;
      future.loop->make_ready(child);
    }
    detail::TaskCore* waiting_task() const noexcept override { return child.group_ ? &child.group_->parent_.core() : nullptr; }
    Child& child;
  };
  friend End;

  TaskGroup* group_;
  End end_;
  bool queued_ = false;
};

TaskGroup::TaskGroup() : parent_(current_task()) {}

TaskGroup::~TaskGroup() {
  while (!children_.empty()) children_.front().orphan();
}

void TaskGroup::check_open() const {
  if (exiting_ && children_.empty()) throw RuntimeError("TaskGroup is finished");
  if (aborting_) throw RuntimeError("TaskGroup is shutting down");
}

void TaskGroup::adopt(detail::TaskCore& task) {
  if (task.done()) {  // eager, and over already
    if (task.error && task.state != detail::FutureCore::State::cancelled) {
      auto* child = new Child(*this, task);
      children_.push_back(*child);
      task.loop->make_ready(*child);
    }
    return;
  }
  children_.push_back(*new Child(*this, task));
}

void TaskGroup::abort() {
  aborting_ = true;
  for (Child& child : children_)
    if (!child.task->done()) child.task->cancel({});
}

bool TaskGroup::leaves_loop(const std::exception_ptr& error) {
  const std::type_info& type = *error.__cxa_exception_type();
  return type == typeid(KeyboardInterrupt) || type == typeid(SystemExit);
}

void TaskGroup::child_done(Child& child) {
  detail::Ref<detail::TaskCore> task = child.task;
  child.unlink();
  delete &child;
  if (children_.empty() && completed_ && !completed_->done()) completed_->set_result();
  if (task->state == detail::FutureCore::State::cancelled || !task->error) return;
  task->exception_unread = false;
  errors_.push_back(task->error);
  if (!base_error_ && leaves_loop(task->error)) base_error_ = task->error;
  if (aborting_ || parent_cancel_requested_) return;
  abort();
  parent_cancel_requested_ = true;
  parent_.cancel();
}

Coro<> TaskGroup::exit(std::exception_ptr error) {
  exiting_ = true;
  std::exception_ptr cancelled;
  bool body_failed = false;
  if (error) {
    const std::type_info& type = *error.__cxa_exception_type();
    if (type == typeid(CancelledError))
      cancelled = error;
    else
      body_failed = true;
    if (leaves_loop(error) && !base_error_) base_error_ = error;
    if (!aborting_) abort();
  }
  while (!children_.empty()) {
    completed_.emplace();
    std::exception_ptr interrupted;
    try {
      co_await *completed_;
    } catch (const CancelledError&) {
      interrupted = std::current_exception();
    }
    if (interrupted && !aborting_) {
      cancelled = interrupted;
      abort();
    }
  }
  completed_.reset();
  if (base_error_) std::rethrow_exception(base_error_);
  if (parent_cancel_requested_ && parent_.uncancel() == 0) cancelled = nullptr;
  if (cancelled && errors_.empty()) std::rethrow_exception(cancelled);
  if (body_failed) errors_.push_back(error);
  if (errors_.empty()) co_return;
  if (parent_.cancelling() > 0) {  // cancelled from outside as well: the count stays, the request is armed anew
    parent_.uncancel();
    parent_.cancel();
  }
  throw ExceptionGroup("unhandled errors in a TaskGroup", std::move(errors_));
}

}  // namespace corun
