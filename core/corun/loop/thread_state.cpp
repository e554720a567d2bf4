// SPDX-License-Identifier: MIT
#include <corun/loop/thread_state.hpp>

namespace corun::detail {

constinit thread_local ThreadState thread_state{};

ContextSlot& current_context_slot() {
  if (ContextSlot* slot = thread_state.context) return *slot;
  static thread_local ContextSlot own;
  return own;
}

}  // namespace corun::detail
