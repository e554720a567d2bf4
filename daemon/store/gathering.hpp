// SPDX-License-Identifier: MIT
// Whether a batch waits a moment for more. Who is answered by a commit mostly asks again at once, but not at once enough: a batch that goes with
// the first of them leaves the others to the next commit, and then half of the callers wait for each sync instead of all for one.
#pragma once

#include <algorithm>
#include <chrono>
#include <corun/corun.hpp>
#include <cstddef>

namespace corund::store {

class Gathering {
 public:
  // From this number on rows, and not the sync, are what a commit costs: they are better begun with.
  static constexpr std::size_t submissions_max = 128;
  // At most so long after the commit that has answered them, and never more than twice what that took.
  static constexpr std::chrono::microseconds wait_max{300};

  // A commit of `answered` submissions has ended, and `staged` have come meanwhile: all of them together are one round of callers.
  void committed(std::size_t answered, std::size_t staged, std::chrono::nanoseconds took, corun::time_point now) noexcept {
    expected_ = answered + staged;
    until_ = now + std::min<std::chrono::nanoseconds>(2 * took, wait_max);
  }

  // Of a batch of `staged`. It is submissions that are counted: never where one was answered; a caller that hands in many at once waits for nobody
  // with his next one.
  bool expects_more(std::size_t staged, corun::time_point now) const noexcept {
    return expected_ > 1 && expected_ <= submissions_max && staged < expected_ && now < until_;
  }
  // The batch goes then, whatever has come.
  corun::time_point until() const noexcept { return until_; }

 private:
  std::size_t expected_ = 0;
  corun::time_point until_{};
};

}  // namespace corund::store
