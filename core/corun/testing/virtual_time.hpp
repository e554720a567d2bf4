// SPDX-License-Identifier: MIT
// Shipped for tests of programs. A loop whose clock jumps.
#pragma once

#include <corun/loop/loop.hpp>
#include <functional>
#include <memory>

namespace corun::testing {

// A loop_factory: when nothing is ready and no I/O or thread is outstanding, the clock jumps to the next timer. An hour of timers takes
// milliseconds, in the same order every time. Where nothing is left at all, the run throws RuntimeError with the await stack of main.
CORUN_API std::function<std::unique_ptr<Loop>()> virtual_time();

}  // namespace corun::testing
