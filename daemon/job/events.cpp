// SPDX-License-Identifier: MIT
#include "daemon/job/events.hpp"

#include <algorithm>

namespace corund::job {

void EventLog::add(Event event) {
  bytes_ += event.bytes();
  events_.push_back(std::move(event));
  while (events_.size() > 1 && (events_.size() > events_max || bytes_ > bytes_max)) {
    bytes_ -= events_.front().bytes();
    events_.pop_front();
    ++first_;
  }
}

const Event* EventLog::from(std::uint64_t& number) const noexcept {
  number = std::max(number, first_);
  std::uint64_t index = number - first_;
  return index < events_.size() ? &events_[index] : nullptr;
}

bool EventLog::is_filling(std::uint64_t from) const noexcept {
  const std::uint64_t index = from <= first_ ? 0 : from - first_;
  if (index >= events_.size()) return false;
  if (events_.size() - index > events_max / 2) return true;
  std::size_t bytes = 0;
  for (std::size_t i = index; i < events_.size(); ++i) bytes += events_[i].bytes();
  return bytes > bytes_max / 2;
}

}  // namespace corund::job
