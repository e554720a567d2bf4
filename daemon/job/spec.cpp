// SPDX-License-Identifier: MIT
#include "daemon/job/spec.hpp"

#include <algorithm>
#include <cmath>

namespace corund::job {

std::chrono::nanoseconds RetryPolicy::delay_after(int attempt) const noexcept {
  constexpr double longest = 24.0 * 3600;
  double seconds = std::chrono::duration<double>(delay).count() * std::pow(backoff, attempt - 1);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.0, longest) * 1e9));
}

std::size_t SpecExtras::bytes() const noexcept {
  std::size_t sum = context_name.size() + key.size() + after.size() * sizeof(Ulid);
  for (const auto& [name, value] : labels) sum += sizeof(labels.front()) + name.size() + value.size();
  return sum;
}

const SpecExtras& JobSpec::extras() const noexcept {
  static const SpecExtras none;
  return extras_ ? *extras_ : none;
}

SpecExtras& JobSpec::make_extras() {
  if (!extras_) extras_ = std::make_unique<SpecExtras>();
  return *extras_;
}

void JobSpec::copy_from(const JobSpec& other) {
  kind = other.kind;
  args.assign(other.args.view());
  group = other.group;
  timeout = other.timeout;
  grace = other.grace;
  delay = other.delay;
  priority = other.priority;
  context = other.context;
  if (!other.extras().empty()) make_extras() = other.extras();
}

void JobSpec::reset() noexcept {
  kind = nullptr;
  args.clear();
  group.clear();
  timeout.reset();
  grace.reset();
  delay = std::chrono::nanoseconds(0);
  priority = 0;
  owner = 0;
  context = ContextChoice::shared;
  attached = false;
  ack = Ack::memory;
  extras_.reset();
}

std::string_view JobSpec::context_text() const noexcept {
  switch (context) {
    case ContextChoice::shared: return "shared";
    case ContextChoice::isolated: return "isolated";
    case ContextChoice::named: break;
  }
  return extras().context_name;
}

}  // namespace corund::job
