// SPDX-License-Identifier: MIT
// The id of a job: a ULID, 48 bits of milliseconds and 80 of chance, written as 26 characters that sort as the ids were made.
// Knows nothing of jobs.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace corund::job {

class Ulid {
 public:
  static constexpr std::size_t length = 26;
  using Text = std::array<char, length>;

  constexpr Ulid() noexcept = default;
  constexpr Ulid(std::uint64_t high, std::uint64_t low) noexcept : high_(high), low_(low) {}

  // From its 26 characters, in either case; nullopt for anything else.
  static std::optional<Ulid> parse(std::string_view text) noexcept;

  // Crockford's base 32, upper case.
  Text text() const noexcept;
  std::string to_string() const;

  constexpr std::uint64_t milliseconds() const noexcept { return high_ >> 16; }
  // Ids of one millisecond count on, and so do their hashes: a table with buckets in this order is written from front to back while many jobs
  // come. Between milliseconds it is chance.
  constexpr std::size_t hash() const noexcept { return low_; }
  constexpr bool empty() const noexcept { return high_ == 0 && low_ == 0; }
  constexpr auto operator<=>(const Ulid&) const noexcept = default;

 private:
  friend class UlidSource;
  std::uint64_t high_ = 0;  // 48 bits of time, 16 of chance
  std::uint64_t low_ = 0;
};

// Makes ids that only grow, also when the clock steps back or two fall in one millisecond (then the 80 bits count on). Chance is
// taken from the kernel a page at a time, so that an id costs no system call. One source makes one daemon's ids.
class UlidSource {
 public:
  // microseconds: now, since the epoch. Errors: std::system_error where the kernel has no randomness to give.
  Ulid next(std::int64_t microseconds);
  // What it makes from now on is larger than `made`, an id of an earlier source.
  void go_on_from(const Ulid& made) noexcept { last_ = std::max(last_, made); }

 private:
  std::uint64_t random();

  Ulid last_;
  std::array<std::uint64_t, 512> pool_{};
  std::size_t used_ = pool_.size();
};

}  // namespace corund::job
