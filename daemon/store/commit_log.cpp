// SPDX-License-Identifier: MIT
#include "daemon/store/commit_log.hpp"

#include <algorithm>
#include <vector>

namespace corund::store {

CommitTimes CommitLog::times() const {
  const auto size = std::min(count_, latest_.size());
  if (size == 0) return {};
  std::vector<std::chrono::nanoseconds> sorted(latest_.begin(),
                                               latest_.begin() + static_cast<std::ptrdiff_t>(size));
  std::sort(sorted.begin(), sorted.end());
  const auto seconds_at = [&](std::size_t hundredths) {
    return std::chrono::duration<double>(sorted[(size - 1) * hundredths / 100]).count();
  };
  return {seconds_at(50), seconds_at(99), seconds_at(100)};
}

}  // namespace corund::store
