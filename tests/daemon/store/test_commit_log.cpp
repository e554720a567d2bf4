// SPDX-License-Identifier: MIT
#include "daemon/store/commit_log.hpp"

#include <cmath>

#include "support/catch.hpp"

using namespace corund::store;
using namespace std::chrono_literals;

namespace {
bool near(double a, double b) { return std::abs(a - b) < 0.0011; }
}  // namespace

TEST_CASE("the times of commits are those of the latest", "[store]") {
  CommitLog log;
  CHECK(log.times().max == 0);
  log.add(7s);
  CHECK(near(log.times().p50, 7));
  for (int i = 1; i <= 1000; ++i) log.add(std::chrono::milliseconds(i));
  const CommitTimes times = log.times();  // of 489 to 1000
  CHECK(log.count() == 1001);
  CHECK(near(times.max, 1));
  CHECK(near(times.p50, 0.744));
  CHECK(near(times.p99, 0.994));
}
