// SPDX-License-Identifier: MIT
#include "config/units.hpp"

#include "support/catch.hpp"

using namespace corund::config;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST_CASE("a duration is a sum of numbers with units, or a number of seconds") {
  const std::vector<std::pair<std::string, nanoseconds>> table = {
      {"5min", 5min},       {"100ms", 100ms},   {"1h30min", 90min}, {"1h 30min", 90min}, {" 2 s ", 2s},
      {"30", 30s},          {"0.1", 100ms},     {"0.1s", 100ms},    {"1.5h", 90min},     {"250us", 250us},
      {"1d", 24h},          {"1w", 168h},       {"0", 0s},          {"7ns", 7ns},        {"1m", 1min},
      {"1hour 2minutes 3seconds", 1h + 2min + 3s}};
  for (const auto& [text, expected] : table) {
    INFO(text);
    auto value = parse_duration(text);
    REQUIRE(value.has_value());
    CHECK(value->count() == expected.count());
  }
}

TEST_CASE("what is no duration is refused with the text and a reason") {
  for (std::string text : {"", "  ", "-1s", "5 minuets", "1y", "s", "1h30", "1..5s", "1.s", ".5s", "five", "1e3s", "400y", "1s,2s"}) {
    INFO(text);
    auto value = parse_duration(text);
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().find("\"" + text + "\"") == 0);
  }
}

TEST_CASE("a duration that does not fit 64 bits of nanoseconds is too long, not a wrong value") {
  for (std::string text : {"99999999999999999999s", "400000d", "18446744073709551616ns", "9223372036s 1s"}) {
    INFO(text);
    auto value = parse_duration(text);
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().find("too long") != std::string::npos);
  }
  CHECK(parse_duration("9223372036854775807ns")->count() == INT64_MAX);
}

TEST_CASE("a size is a number of bytes with an optional unit") {
  const std::vector<std::pair<std::string, std::uint64_t>> table = {
      {"0", 0},          {"64K", 65536},   {"64KiB", 65536},      {"1MiB", 1048576},      {"1.5M", 1572864},
      {"2 GiB", 2ull << 30}, {"1KB", 1000}, {"1kB", 1000},         {"3MB", 3'000'000},     {"100B", 100},
      {"1T", 1ull << 40}, {"1TB", 1'000'000'000'000}};
  for (const auto& [text, expected] : table) {
    INFO(text);
    auto value = parse_size(text);
    REQUIRE(value.has_value());
    CHECK(*value == expected);
  }
  for (std::string text : {"", "K", "-1", "1 parsec", "1K1K", "99999999999999999999", "9999999T", "1K x"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("what is formatted reads back as the same value") {
  for (nanoseconds value : {nanoseconds(0s), nanoseconds(100ms), nanoseconds(90min), nanoseconds(24h), nanoseconds(168h),
                            nanoseconds(1h + 1ns), nanoseconds(INT64_MAX)}) {
    INFO(format_duration(value));
    CHECK(parse_duration(format_duration(value))->count() == value.count());
  }
  CHECK(format_duration(90min) == "1h30min");
  CHECK(format_duration(168h) == "1w");
  CHECK(format_duration(0s) == "0s");
  for (std::uint64_t value : {0ull, 1000ull, 1024ull, 65536ull, 1048577ull, 1ull << 40}) {
    INFO(format_size(value));
    CHECK(*parse_size(format_size(value)) == value);
  }
  CHECK(format_size(65536) == "64KiB");
}
