// SPDX-License-Identifier: MIT
// Floor 2. The part of a TaskScope that the loop and its handles carry along. What a scope means: task/task_scope.hpp.
#pragma once

#include <corun/base/intrusive_list.hpp>
#include <corun/loop/step_probe.hpp>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <string>

namespace corun {
class TaskScope;
}

namespace corun::detail {

class LoopCore;
struct TaskCore;

// The link by which a task stands in its scope's list.
struct TaskLink : ListLink {};

// Work of one owner on one loop. Counted without atomics, on the loop's thread: while something counts, the TaskScope lives.
struct ScopeCore : ListLink {
  ScopeCore() = default;
  virtual ~ScopeCore() = default;

  void retain() noexcept {
    if (uses++ == 0) hold();
  }
  void release() noexcept {
    if (--uses == 0) let_go();
  }

  // Keeps the owning shared object while uses > 0.
  virtual void hold() noexcept {}
  virtual void let_go() noexcept {}

  IntrusiveList<TaskLink> tasks;  // those that are not done
  std::size_t uses = 0;
  std::string label;
  StepProbe::Label probe_label{};
  bool fail_on_exit = false;      // SystemExit and KeyboardInterrupt end the scope's tasks only, not the loop
  std::exception_ptr exit_error;  // the first of these that escaped, where fail_on_exit
  bool accounting = false;        // measure steps of its tasks

  std::uint64_t steps = 0;
  std::int64_t loop_ns = 0;
  std::int64_t longest_step_ns = 0;
  std::source_location longest_step_at;  // the await at which that step went on; line 0: its first
};

}  // namespace corun::detail
