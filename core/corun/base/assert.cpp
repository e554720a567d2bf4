// SPDX-License-Identifier: MIT
#include <corun/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace corun::detail {

void assertion_failed(const char* expression, const char* file, int line, const char* function) noexcept {
  std::fprintf(stderr, "corun: assertion failed: %s\n  at %s:%d in %s\n", expression, file, line, function);
  std::abort();
}

}  // namespace corun::detail
