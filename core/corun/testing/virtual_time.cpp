// SPDX-License-Identifier: MIT
#include <corun/testing/virtual_time.hpp>

namespace corun::testing {

std::function<std::unique_ptr<Loop>()> virtual_time() {
  return [] { return std::make_unique<Loop>(true); };
}

}  // namespace corun::testing
