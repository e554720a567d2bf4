// SPDX-License-Identifier: MIT
// How long the latest commits took.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace corund::store {

struct CommitTimes {
  double p50 = 0, p99 = 0, max = 0;  // seconds, of the latest some hundreds
};

class CommitLog {
 public:
  void add(std::chrono::nanoseconds took) noexcept { latest_[count_++ % latest_.size()] = took; }
  std::size_t count() const noexcept { return count_; }  // of all
  CommitTimes times() const;

 private:
  std::array<std::chrono::nanoseconds, 512> latest_{};
  std::size_t count_ = 0;
};

}  // namespace corund::store
