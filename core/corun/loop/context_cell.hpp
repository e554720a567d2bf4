// SPDX-License-Identifier: MIT
// Floor 2. What the current context is made of: an immutable map, the cell that a Context handle points at, and the slot that a task
// or a thread holds. The loop swaps slots; what a variable is, the task floor knows (task/context.hpp).
//
// A slot begins with the map it inherited. Only who asks for a handle on the context makes a cell of it, so a task that nobody looks
// into costs no allocation and, where the map is empty, no count.
#pragma once

#include <atomic>
#include <corun/base/ref.hpp>
#include <corun/coro/frame_pool.hpp>
#include <memory>
#include <vector>

namespace corun::detail {

// Counts of these are atomic: Context handles may cross threads.
struct SharedCount {
  void retain() noexcept { count.fetch_add(1, std::memory_order_relaxed); }
  bool drop() noexcept { return count.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  std::atomic<std::uint32_t> count{0};
};

// One variable's value. The key is the variable's identity.
struct ContextEntry {
  std::shared_ptr<const void> key;
  std::shared_ptr<const void> value;
};

struct ContextMap : SharedCount {
  std::vector<ContextEntry> entries;
  void release() noexcept {
    if (drop()) destroy();
  }
  CORUN_API void destroy() noexcept;
};

struct ContextCell : SharedCount {
  Ref<ContextMap> map;
  std::atomic<bool> entered{false};  // a Context is current in one place at a time (fact 40)
  void release() noexcept {
    if (drop()) destroy();
  }
  CORUN_API void destroy() noexcept;
};

struct ContextSlot {
  ContextSlot() noexcept = default;
  explicit ContextSlot(Ref<ContextCell> own) noexcept : cell(std::move(own)) {}
  explicit ContextSlot(Ref<ContextMap> inherited) noexcept : map(std::move(inherited)) {}

  Ref<ContextCell> cell;
  Ref<ContextMap> map;  // meaningful while there is no cell

  const Ref<ContextMap>& current_map() const noexcept { return cell ? cell->map : map; }

  // The handle on this very context.
  const Ref<ContextCell>& make_cell() {
    if (!cell) {
      cell = Ref<ContextCell>(new ContextCell);
      cell->map = std::move(map);
    }
    return cell;
  }

  void set_map(Ref<ContextMap> next) {
    if (cell)
      cell->map = std::move(next);
    else
      map = std::move(next);
  }

  // A copy: what is set there is not seen here.
  ContextSlot copy() const { return ContextSlot(current_map()); }
};

}  // namespace corun::detail
