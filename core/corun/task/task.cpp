// SPDX-License-Identifier: MIT
#include <corun/task/task.hpp>

namespace corun {

AnyTask::AnyTask(detail::TaskCore* core) noexcept : core_(core) { core_->retain(); }
AnyTask::AnyTask(const AnyTask& other) noexcept : AnyTask(other.core_) {}
AnyTask& AnyTask::operator=(const AnyTask& other) noexcept {
  other.core_->retain();
  std::exchange(core_, other.core_)->release();
  return *this;
}
AnyTask::~AnyTask() { core_->release(); }

bool AnyTask::cancel(std::string message) const { return core_->cancel(message); }
int AnyTask::cancelling() const noexcept { return core_->cancel_requests; }
int AnyTask::uncancel() const noexcept { return core_->uncancel(); }
bool AnyTask::done() const noexcept { return core_->done(); }
bool AnyTask::cancelled() const noexcept { return core_->state == detail::FutureCore::State::cancelled; }
std::exception_ptr AnyTask::exception() const { return core_->exception(); }
const std::string& AnyTask::name() const { return core_->name(); }
void AnyTask::set_name(std::string name) const { core_->set_name(std::move(name)); }
Context AnyTask::context() const { return Context(core_->context.make_cell()); }

CallbackId AnyTask::add_done_callback(std::function<void(const AnyTask&)> callback, const Context* context) const {
  return core_->add_done_callback(
      [callback = std::move(callback)](detail::FutureCore& done) { callback(AnyTask(done.as_task())); }, context);
}
bool AnyTask::remove_done_callback(CallbackId id) const { return core_->remove_done_callback(id); }

detail::DoneAwaiter AnyTask::operator co_await() const { return detail::DoneAwaiter(*core_); }

AnyTask current_task() {
  detail::TaskCore* task = detail::thread_state.task;
  if (!task) throw RuntimeError("no task is running in this thread");
  return AnyTask(task);
}

std::vector<AnyTask> all_tasks() { return detail::tasks_of(detail::running_loop()); }

std::vector<AnyTask> detail::tasks_of(LoopCore& loop) {
  std::vector<AnyTask> all;
  all.reserve(loop.tasks_alive);
  for (auto& link : loop.root_scope.tasks) all.emplace_back(&static_cast<detail::TaskCore&>(link));
  for (auto& scope : loop.scopes)
    for (auto& link : scope.tasks) all.emplace_back(&static_cast<detail::TaskCore&>(link));
  return all;
}

}  // namespace corun
