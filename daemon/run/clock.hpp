// SPDX-License-Identifier: MIT
// The time of day as records and the wire have it.
#pragma once

#include <chrono>
#include <cstdint>

namespace corund::run {

// Microseconds since the epoch.
inline std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

inline double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace corund::run
