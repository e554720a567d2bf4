// SPDX-License-Identifier: MIT
#include "daemon/run/output_limit.hpp"

#include "support/catch.hpp"

using corund::run::OutputLimit;

namespace {

constexpr std::int64_t start = 1'700'000'000'000'000;
constexpr std::int64_t second = 1'000'000;

int taken(OutputLimit& limit, int lines, std::int64_t now_us, std::size_t bytes = 10) {
  int n = 0;
  for (int i = 0; i < lines; ++i) n += limit.take(bytes, now_us);
  return n;
}

}  // namespace

TEST_CASE("a burst goes through, what is more is counted") {
  OutputLimit limit({.per_second = 10, .burst = 100});
  CHECK(taken(limit, 100, start) == 100);
  CHECK(limit.take_dropped() == 0);
  CHECK(taken(limit, 7, start) == 0);
  CHECK(limit.take_dropped() == 7);
  CHECK(limit.take_dropped() == 0);
}

TEST_CASE("what is shut opens again with a second's worth, and not before") {
  OutputLimit limit({.per_second = 10, .burst = 100});
  CHECK(taken(limit, 200, start) == 100);
  CHECK(taken(limit, 10, start + second / 2) == 0);
  CHECK(taken(limit, 20, start + second) == 10);
  CHECK(limit.take_dropped() == 120);
  CHECK(taken(limit, 200, start + 100 * second) == 100);
}

TEST_CASE("a steady output below the rate is never cut") {
  OutputLimit limit({.per_second = 10, .burst = 10});
  int n = 0;
  for (int i = 0; i < 1000; ++i) n += limit.take(10, start + i * second / 10);
  CHECK(n == 1000);
}

TEST_CASE("a long line counts by its KiB, one that is longer than the burst passes a full bucket") {
  OutputLimit limit({.per_second = 10, .burst = 100});
  CHECK(taken(limit, 20, start, 9 * 1024) == 10);
  CHECK(taken(limit, 1, start + 100 * second, 1 << 20) == 1);
  CHECK(taken(limit, 1, start + 100 * second) == 0);
}

TEST_CASE("a clock that goes back costs nothing and gives nothing") {
  OutputLimit limit({.per_second = 10, .burst = 1});
  CHECK(taken(limit, 1, start) == 1);
  CHECK(taken(limit, 1, start - second) == 0);
  CHECK(taken(limit, 1, start) == 1);
}

TEST_CASE("a burst of nothing lets nothing through") {
  OutputLimit limit({.per_second = 10, .burst = 0});
  CHECK(taken(limit, 3, start) == 0);
  CHECK(limit.take_dropped() == 3);
}
