// SPDX-License-Identifier: MIT
#include "daemon/run/contexts.hpp"

#include <corun/base/assert.hpp>

namespace corund::run {

bool Contexts::has_room_for(const job::JobSpec& spec) const {
  if (spec.context != job::ContextChoice::named || named_.contains({spec.owner, spec.context_name})) return true;
  auto count = named_count_.find(spec.owner);
  return named_max_ > 0 && (count == named_count_.end() || count->second < named_max_);
}

corun::Context Contexts::of(const job::JobSpec& spec) {
  CORUN_ASSERT(shared_.has_value());
  if (spec.context == job::ContextChoice::shared) return *shared_;
  // Entered already: a job of the shared context asks, for a child.
  corun::Context copy = shared_->entered() ? corun::copy_context() : shared_->run([] { return corun::copy_context(); });
  if (spec.context == job::ContextChoice::isolated) return copy;
  auto [at, is_new] = named_.try_emplace({spec.owner, spec.context_name}, copy);
  if (is_new) ++named_count_[spec.owner];
  return at->second;
}

}  // namespace corund::run
