// SPDX-License-Identifier: MIT
// Durations and sizes as people write them: "1h30min", "100ms", "64KiB". Also for the client's options.
#pragma once

#include <chrono>
#include <corun/base/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace corund::config {

// A sum of numbers with units ("5min", "1h 30min", "1.5s"), or one number, which counts seconds. Units: ns us ms s (sec second
// seconds) m (min minute minutes) h (hr hour hours) d (day days) w (week weeks). Errors: a sentence on what is wrong.
// Source: systemd.time(7); months and years are left out because they have no length.
corun::Result<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text);

// A number of bytes, with an optional unit: B; K, KiB, M, MiB, G, GiB, T, TiB (powers of 1024); KB, MB, GB, TB (powers of 1000).
corun::Result<std::uint64_t, std::string> parse_size(std::string_view text);

// The shortest of the forms above that is exact: "1h30min", "100ms", "0s".
std::string format_duration(std::chrono::nanoseconds value);
// "64KiB", "1MiB", "1000B".
std::string format_size(std::uint64_t bytes);

}  // namespace corund::config
