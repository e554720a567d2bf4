// SPDX-License-Identifier: MIT
// How often something happens at present: for telling a peer when it may be worth another try.
#pragma once

#include <algorithm>
#include <cstdint>

namespace corund::run {

class Rate {
 public:
  void count(std::int64_t now_us) noexcept {
    turn(now_us);
    ++current_;
  }
  // Seconds until it has probably happened once more; between `least` and `most`, `most` where it has not happened for a while.
  double seconds_each(std::int64_t now_us, double least, double most) noexcept {
    turn(now_us);
    double seconds = static_cast<double>(window_us + (now_us - begin_us_)) * 1e-6;
    double count = static_cast<double>(current_ + previous_);
    return count == 0 ? most : std::clamp(seconds / count, least, most);
  }

 private:
  static constexpr std::int64_t window_us = 10'000'000;
  void turn(std::int64_t now_us) noexcept {
    std::int64_t passed = now_us - begin_us_;
    if (passed >= 0 && passed < window_us) return;
    previous_ = passed >= window_us && passed < 2 * window_us ? current_ : 0;
    current_ = 0;
    begin_us_ = now_us;
  }

  std::int64_t begin_us_ = 0;
  std::uint64_t current_ = 0;
  std::uint64_t previous_ = 0;
};

}  // namespace corund::run
