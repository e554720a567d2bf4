// SPDX-License-Identifier: MIT
// The map is a flat vector, copied at each set: contexts hold a handful of variables, look-ups scan a cache line or two, and a copy
// of a context is one count. A tree would win only with hundreds of variables.
#include <corun/loop/handle.hpp>
#include <corun/task/context.hpp>

namespace corun {

Context::Context() : cell_(new detail::ContextCell) {}

std::size_t Context::size() const noexcept { return cell_->map ? cell_->map->entries.size() : 0; }

Context::Entered::Entered(Context& context) : cell_(*context.cell_), saved_(detail::thread_state.context) {
  if (cell_.entered.exchange(true)) throw RuntimeError("cannot enter context: it is already entered");
  slot_.cell = context.cell_;
  detail::thread_state.context = &slot_;
}

Context::Entered::~Entered() {
  detail::thread_state.context = saved_;
  cell_.entered.store(false);
}

Context copy_context() {
  Context copy;
  copy.cell()->map = detail::current_context_slot().current_map();
  return copy;
}

namespace detail {

const Ref<ContextCell>& cell_of(const Context& context) noexcept { return context.cell(); }

std::shared_ptr<const void> context_lookup(const void* key) {
  const auto& map = current_context_slot().current_map();
  if (map)
    for (const ContextEntry& entry : map->entries)
      if (entry.key.get() == key) return entry.value;
  return nullptr;
}

std::shared_ptr<const void> context_assign(const std::shared_ptr<const void>& key, std::shared_ptr<const void> value) {
  ContextSlot& slot = current_context_slot();
  Ref<ContextMap> next(new ContextMap);
  std::shared_ptr<const void> before;
  if (const auto& map = slot.current_map()) next->entries = map->entries;
  for (auto at = next->entries.begin(); at != next->entries.end(); ++at) {
    if (at->key != key) continue;
    before = std::move(at->value);
    next->entries.erase(at);
    break;
  }
  if (value) next->entries.push_back({key, std::move(value)});
  slot.set_map(std::move(next));
  return before;
}

Ref<ContextCell> current_cell() { return current_context_slot().make_cell(); }

}  // namespace detail
}  // namespace corun
