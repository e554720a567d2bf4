// SPDX-License-Identifier: MIT
// Floor 3. TaskScope: whose work is this? libcorun knows nothing of jobs; a host makes one scope per job.
#pragma once

#include <atomic>
#include <chrono>
#include <corun/loop/any_task.hpp>
#include <corun/loop/scope_core.hpp>
#include <exception>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace corun {

// What an escaping SystemExit or KeyboardInterrupt of one of the scope's tasks does. fail_scope: it ends that task, asks the scope's others to
// cancel, and stays as exit_error(); the loop goes on.
enum class OnExit { leave_loop, fail_scope };

// How a scope is made.
struct ScopeOptions {
  OnExit on_exit = OnExit::leave_loop;
  bool accounting = false;  // measure each step: two clock reads
};

// What the scope's work has cost so far. Zero where accounting is off, but for thread_seconds.
struct ScopeStats {
  std::uint64_t steps = 0;
  double loop_seconds = 0;
  double longest_step_seconds = 0;
  std::source_location longest_step_at = {};  // line 0: a first step, or none
  double thread_seconds = 0;                  // of work in executors
};

// An opaque owner tag of work. A field of each task and not a context variable, because jobs may share one context: inherited by child
// tasks, scheduled handles, async generators, and work sent to threads. A scope's tasks live on one loop.
// Lifetime: lives while anybody holds it or work of it is alive.
class CORUN_API TaskScope : public std::enable_shared_from_this<TaskScope>, private detail::ScopeCore {
 public:
  static std::shared_ptr<TaskScope> create(std::string label, ScopeOptions options = {});

  const std::string& label() const noexcept { return detail::ScopeCore::label; }
  // Those that are not done, in the order in which they were made.
  std::vector<AnyTask> tasks() const;
  // Whether any is left; cheaper than tasks().
  bool empty() const noexcept { return detail::ScopeCore::tasks.empty(); }
  // Asks each of them to cancel.
  void cancel_all(std::string message = {});
  ScopeStats stats() const;
  // The first SystemExit or KeyboardInterrupt that escaped from one of its tasks; null: none, or it left the loop.
  std::exception_ptr exit_error() const noexcept { return detail::ScopeCore::exit_error; }

  // Adds executor time. Threads: any.
  void add_thread_time(std::chrono::nanoseconds time) noexcept {
    thread_ns_.fetch_add(time.count(), std::memory_order_relaxed);
  }

  // Library-internal.
  detail::ScopeCore& core() noexcept { return *this; }
  static std::shared_ptr<TaskScope> of(detail::ScopeCore& core) { return static_cast<TaskScope&>(core).shared_from_this(); }

  struct Private {
    explicit Private() = default;
  };
  explicit TaskScope(Private) {}
  ~TaskScope() override = default;

 private:
  void hold() noexcept override { self_ = shared_from_this(); }
  void let_go() noexcept override { self_.reset(); }

  std::shared_ptr<TaskScope> self_;  // while tasks or handles of the scope are alive
  std::atomic<std::int64_t> thread_ns_{0};
};

// The scope of what runs now; null where it has none.
CORUN_API std::shared_ptr<TaskScope> current_scope();

}  // namespace corun
