// SPDX-License-Identifier: MIT
#include <corun/loop/thread_state.hpp>

namespace corun::detail {

constinit thread_local ThreadState thread_state{};

void ContextMap::destroy() noexcept { delete this; }
void ContextCell::destroy() noexcept { delete this; }

ContextSlot& own_context_slot() {
  static thread_local ContextSlot own;
  return own;
}

}  // namespace corun::detail
