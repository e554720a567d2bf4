// SPDX-License-Identifier: MIT
// The shipped helper with the step named in what a failed CHECK prints.
#pragma once

#include <corun/testing/every_step.hpp>

#include "support/catch.hpp"

namespace tests {

// Gives the number of runs that were disturbed.
template <class F>
std::size_t cancel_everywhere(F body, const corun::testing::EveryStepOptions& options = {}) {
  for (std::size_t step = 1; step <= options.steps_max; ++step) {
    INFO("cancelled before step " << step);
    if (!corun::testing::cancel_at_step(step, body, options)) return step - 1;
  }
  FAIL("the body never ends");
  return 0;
}

template <class F>
std::size_t interrupt_everywhere(F body, const corun::testing::EveryStepOptions& options = {}) {
  for (std::size_t step = 1; step <= options.steps_max; ++step) {
    INFO("interrupted before step " << step);
    if (!corun::testing::interrupt_at_step(step, body, options)) return step - 1;
  }
  FAIL("the body never ends");
  return 0;
}

// Both, for a body without a Disturbance: main is the victim of either.
template <class F>
std::size_t disturb_everywhere(F body, const corun::testing::EveryStepOptions& options = {}) {
  std::size_t cancelled = cancel_everywhere(body, options);
  CHECK(interrupt_everywhere(body, options) == cancelled);
  return cancelled;
}

}  // namespace tests
