// SPDX-License-Identifier: MIT
// Tests of waiting, counted in passes of a virtual-time loop: nothing sleeps, and the order is the same every time.
#pragma once

#include <corun/corun.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"
#include "testing/everywhere.hpp"

// Not CHECK(co_await x): the macro names its expression three times, and g++ 12 awaits each of them.
#define CHECK_AWAITED(awaited, expected) \
  do {                                   \
    auto&& outcome = awaited;            \
    CHECK(outcome == expected);          \
  } while (false)

namespace tests {

using corun::AnyTask;
using corun::CancelledError;
using corun::Coro;
using corun::create_task;
using corun::RuntimeError;
using corun::Task;
using corun::ValueError;
using corun::testing::Disturbance;
using namespace std::chrono_literals;

// Runs body(), a coroutine, on a loop of its own. The callable outlives the run.
template <class F>
auto on_loop(F body) {
  return corun::run(body(), virtual_time());
}

inline Coro<> passes(int n) {
  for (int i = 0; i < n; ++i) co_await corun::sleep(0s);
}

// Waits for the end of a task, whatever it is. True: it was cancelled.
inline Coro<bool> ended(AnyTask task) {
  try {
    co_await task;
  } catch (...) {
  }
  co_return task.cancelled();
}

// A body for with() that does nothing.
inline constexpr auto nothing = []() -> Coro<> { co_return; };

}  // namespace tests
