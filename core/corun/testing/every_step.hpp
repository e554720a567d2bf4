// SPDX-License-Identifier: MIT
// Shipped for tests of programs. Runs a coroutine again and again, and disturbs it at another step each time: whatever it holds when the
// request comes must be given back, and whatever it was about to get must go to somebody else.
//
// A step is a task's step or a callback of the loop. Each run has a Runner of its own on virtual time, so the steps are the same ones
// in every run, and a wait that nothing will end throws instead of hanging. In run k the request comes before step k; the first run
// in which there is no step k is not touched, and is the last.
#pragma once

#include <concepts>
#include <corun/coro/coro.hpp>
#include <corun/loop/any_task.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace corun::detail {
class LoopCore;
}

namespace corun::testing {

// The request of one run, for a body that says who gets it.
class Disturbance {
 public:
  // From now on the steps are counted, and the request goes to this task.
  CORUN_API void aim(AnyTask victim);

  // Whether the request was made. Where the victim had ended before, it was not.
  bool made() const noexcept { return made_; }

  // Before which step it is due.
  std::size_t step() const noexcept { return step_; }

  // Library-internal.
  explicit Disturbance(std::size_t step, bool interrupts) noexcept : step_(step), interrupts_(interrupts) {}
  CORUN_API void before_step(corun::detail::LoopCore& loop);
  void end() noexcept { victim_.reset(); }

 private:
  std::size_t step_;
  bool interrupts_;
  bool made_ = false;
  std::size_t seen_ = 0;
  std::optional<AnyTask> victim_;
};

// What is held against each run.
struct EveryStepOptions {
  std::function<void()> check = {};     // after each run, the loop still open: for what outlives the body
  bool tasks_may_remain = false;        // whether tasks of the body may outlive it; the close of the run ends them
  bool reports_may_come = false;        // whether the loop may report: errors that nobody read, coroutines never awaited, tasks destroyed
  std::size_t steps_max = 100'000;      // more than that is taken for a body that never ends
};

namespace detail {

struct Body {
  std::function<Coro<>(Disturbance&)> make;
  bool is_victim;
};
enum class Request { cancel, interrupt };

CORUN_API bool run_disturbed(Request request, std::size_t step, const Body& body, const EveryStepOptions& options);
CORUN_API std::size_t run_at_every_step(Request request, const Body& body, const EveryStepOptions& options);

// A body that takes no Disturbance is itself the victim, from its first step on.
template <class F>
Body body_of(F& f) {
  if constexpr (std::is_invocable_v<F&, Disturbance&>)
    return {[&f](Disturbance& disturbance) -> Coro<> { return f(disturbance); }, false};
  else
    return {[&f](Disturbance&) -> Coro<> { return f(); }, true};
}

}  // namespace detail

// Runs body(), which returns a Coro<>, and cancels it before that step of its run; or body(Disturbance&), which aims the request at a task
// of its own. Gives whether there was such a step.
// Errors: what the body throws, but the CancelledError (KeyboardInterrupt) that was asked for; RuntimeError where something is left
// (tasks, timers), something was reported, or nothing can end a wait. The step is named on stderr, or in the error.
template <class F>
bool cancel_at_step(std::size_t step, F body, const EveryStepOptions& options = {}) {
  return detail::run_disturbed(detail::Request::cancel, step, detail::body_of(body), options);
}

// The same with what a Runner does at a SIGINT: main is cancelled, and the run ends by KeyboardInterrupt. Main thread only; no signal
// is raised, so the process's handlers do not matter.
template <std::invocable F>
bool interrupt_at_step(std::size_t step, F body, const EveryStepOptions& options = {}) {
  return detail::run_disturbed(detail::Request::interrupt, step, detail::body_of(body), options);
}

// Does so at step 1, 2, 3 ... until a run completes untouched. Gives the number of runs that were touched.
// Source: the idea is Boost.Cobalt's and Trio's, whose tests cancel at every suspension.
template <class F>
std::size_t cancel_at_every_step(F body, const EveryStepOptions& options = {}) {
  return detail::run_at_every_step(detail::Request::cancel, detail::body_of(body), options);
}
template <std::invocable F>
std::size_t interrupt_at_every_step(F body, const EveryStepOptions& options = {}) {
  return detail::run_at_every_step(detail::Request::interrupt, detail::body_of(body), options);
}

}  // namespace corun::testing
