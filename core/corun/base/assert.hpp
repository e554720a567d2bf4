// SPDX-License-Identifier: MIT
// Floor 0. Our own mistakes: always checked, named with their place, and the end of the process.
// What a caller may decide about is a Result or an exception, never an assertion.
#pragma once

#include <corun/base/export.hpp>

namespace corun::detail {
[[noreturn]] CORUN_API void assertion_failed(const char* expression, const char* file, int line, const char* function) noexcept;
}

#define CORUN_ASSERT(expression)                                                                   \
  (static_cast<bool>(expression) ? static_cast<void>(0)                                            \
                                 : ::corun::detail::assertion_failed(#expression, __FILE__, __LINE__, \
                                                                     static_cast<const char*>(__func__)))
