// SPDX-License-Identifier: MIT
#include <corun/coro/frame_pool.hpp>
#include <corun/task/task_core.hpp>
#include <corun/task/task_scope.hpp>

namespace corun {

std::shared_ptr<TaskScope> TaskScope::create(std::string label, ScopeOptions options) {
  auto scope = std::allocate_shared<TaskScope>(detail::PoolAllocator<TaskScope>(), Private());
  detail::ScopeCore& core = *scope;
  core.probe_label = StepProbe::pack(label);
  core.label = std::move(label);
  core.fail_on_exit = options.on_exit == OnExit::fail_scope;
  core.accounting = options.accounting;
  return scope;
}

std::vector<AnyTask> TaskScope::tasks() const {
  std::vector<AnyTask> all;
  for (auto& link : detail::ScopeCore::tasks) all.emplace_back(&static_cast<detail::TaskCore&>(link));
  return all;
}

void TaskScope::cancel_all(std::string message) {
  for (const AnyTask& task : tasks()) task.cancel(message);
}

ScopeStats TaskScope::stats() const {
  return {.steps = steps,
          .loop_seconds = 1e-9 * static_cast<double>(loop_ns),
          .longest_step_seconds = 1e-9 * static_cast<double>(longest_step_ns),
          .longest_step_at = detail::ScopeCore::longest_step_at,
          .thread_seconds = 1e-9 * static_cast<double>(thread_ns_.load(std::memory_order_relaxed))};
}

std::shared_ptr<TaskScope> current_scope() {
  detail::ScopeCore* scope = detail::thread_state.scope;
  return scope ? TaskScope::of(*scope) : nullptr;
}

}  // namespace corun
