// SPDX-License-Identifier: MIT
// How much of one job's output goes to the journal: a bucket of lines that fills at a rate. Once empty it stays shut until it holds a second's
// worth again, so that an endless output becomes a burst and a count each second, and not a count between any two lines.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace corund::run {

// Lines; one counts once more for each KiB it has.
struct OutputRate {
  std::size_t per_second = 1000;
  std::size_t burst = 5000;
};

class OutputLimit {
 public:
  explicit OutputLimit(OutputRate rate) noexcept
      : rate_(static_cast<double>(rate.per_second)), burst_(static_cast<double>(rate.burst)), tokens_(burst_) {}

  // Whether a line may be written now; otherwise it is counted as dropped.
  bool take(std::size_t bytes, std::int64_t now_us) noexcept {
    if (last_us_) tokens_ = std::min(burst_, tokens_ + rate_ * 1e-6 * static_cast<double>(std::max<std::int64_t>(0, now_us - last_us_)));
    last_us_ = now_us;
    const double cost = std::min(burst_, 1 + static_cast<double>(bytes / 1024));
    const double wanted = is_shut_ ? std::max(cost, std::min(rate_, burst_)) : cost;
    is_shut_ = burst_ < 1 || tokens_ < wanted;
    if (is_shut_) return ++dropped_, false;
    tokens_ -= cost;
    return true;
  }

  // Lines dropped since this was last asked.
  std::uint64_t take_dropped() noexcept { return std::exchange(dropped_, 0); }

 private:
  double rate_;
  double burst_;
  double tokens_;
  std::int64_t last_us_ = 0;
  bool is_shut_ = false;
  std::uint64_t dropped_ = 0;
};

}  // namespace corund::run
