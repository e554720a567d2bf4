// SPDX-License-Identifier: MIT
// Numbers are read as decimal digits and a fraction, never through floating point: "0.1s" is exactly 100 ms, and what does not
// fit 64 bits is an error and not a wrong value.
#include "config/units.hpp"

#include <array>
#include <limits>
#include <optional>

namespace corund::config {
namespace {

using std::chrono::nanoseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint64_t ns_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// The first of equal units is the one that format_duration() writes.
constexpr std::array duration_units = {
    Unit{"w", 7 * 86400 * ns_per_s},   Unit{"week", 7 * 86400 * ns_per_s}, Unit{"weeks", 7 * 86400 * ns_per_s},
    Unit{"d", 86400 * ns_per_s},       Unit{"day", 86400 * ns_per_s},      Unit{"days", 86400 * ns_per_s},
    Unit{"h", 3600 * ns_per_s},        Unit{"hr", 3600 * ns_per_s},        Unit{"hour", 3600 * ns_per_s},
    Unit{"hours", 3600 * ns_per_s},    Unit{"min", 60 * ns_per_s},         Unit{"m", 60 * ns_per_s},
    Unit{"minute", 60 * ns_per_s},     Unit{"minutes", 60 * ns_per_s},     Unit{"s", ns_per_s},
    Unit{"sec", ns_per_s},             Unit{"second", ns_per_s},           Unit{"seconds", ns_per_s},
    Unit{"ms", 1'000'000},             Unit{"msec", 1'000'000},            Unit{"us", 1'000},
    Unit{"usec", 1'000},               Unit{"ns", 1},                      Unit{"nsec", 1},
};

constexpr std::array size_units = {
    Unit{"TiB", 1ull << 40}, Unit{"T", 1ull << 40},         Unit{"GiB", 1ull << 30}, Unit{"G", 1ull << 30},
    Unit{"MiB", 1ull << 20}, Unit{"M", 1ull << 20},         Unit{"KiB", 1ull << 10}, Unit{"K", 1ull << 10},
    Unit{"TB", 1'000'000'000'000}, Unit{"GB", 1'000'000'000}, Unit{"MB", 1'000'000},  Unit{"KB", 1'000},
    Unit{"kB", 1'000},       Unit{"B", 1},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What is left to read.
struct Cursor {
  std::string_view rest;

  void skip_space() {
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
  }
  template <class Predicate>
  std::string_view take(Predicate&& belongs) {
    std::size_t n = 0;
    while (n < rest.size() && belongs(rest[n])) ++n;
    auto taken = rest.substr(0, n);
    rest.remove_prefix(n);
    return taken;
  }
};

struct Number {
  std::string_view whole, fraction;
};

std::optional<Number> take_number(Cursor& in) {
  Number number;
  number.whole = in.take(is_digit);
  if (!in.rest.empty() && in.rest.front() == '.') {
    in.rest.remove_prefix(1);
    number.fraction = in.take(is_digit);
    if (number.fraction.empty()) return std::nullopt;
  }
  if (number.whole.empty()) return std::nullopt;
  return number;
}

// number * factor, exactly; digits of the fraction below one are cut off. Nothing where it does not fit `max`.
std::optional<std::uint64_t> scale(const Number& number, std::uint64_t factor, std::uint64_t max) {
  std::uint64_t value = 0;
  for (char c : number.whole) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
      return std::nullopt;
  }
  if (__builtin_mul_overflow(value, factor, &value)) return std::nullopt;
  unsigned __int128 numerator = 0, denominator = 1;
  for (char c : number.fraction.substr(0, 18)) {
    numerator = numerator * 10 + static_cast<unsigned>(c - '0');
    denominator *= 10;
  }
  auto extra = static_cast<std::uint64_t>(numerator * factor / denominator);
  if (__builtin_add_overflow(value, extra, &value) || value > max) return std::nullopt;
  return value;
}

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

corun::Result<nanoseconds, std::string> parse_duration(std::string_view text) {
  using R = corun::Result<nanoseconds, std::string>;
  const auto error = [&](std::string_view why) { return R(boost::system::in_place_error, quoted(text) + " " + std::string(why)); };
  Cursor in{text};
  std::uint64_t sum = 0;
  bool any = false;
  for (in.skip_space(); !in.rest.empty(); in.skip_space()) {
    auto number = take_number(in);
    if (!number) return error("is no duration: write a number of seconds, or numbers with units such as \"1h30min\" or \"100ms\"");
    in.skip_space();
    auto name = in.take(is_letter);
    if (name.empty() && (any || !in.rest.empty())) return error("has a number without a unit");
    const Unit* unit = name.empty() ? find_unit(duration_units, "s") : find_unit(duration_units, name);
    if (!unit) return error("has the unknown unit " + quoted(name) + " (ns, us, ms, s, min, h, d, w)");
    auto value = scale(*number, unit->factor, ns_max);
    if (!value || __builtin_add_overflow(sum, *value, &sum) || sum > ns_max) return error("is too long");
    any = true;
  }
  if (!any) return error("is no duration");
  return nanoseconds(static_cast<std::int64_t>(sum));
}

corun::Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  using R = corun::Result<std::uint64_t, std::string>;
  const auto error = [&](std::string_view why) { return R(boost::system::in_place_error, quoted(text) + " " + std::string(why)); };
  Cursor in{text};
  in.skip_space();
  auto number = take_number(in);
  if (!number) return error("is no size: write a number of bytes, or one with a unit such as \"64KiB\" or \"1MiB\"");
  in.skip_space();
  auto name = in.take(is_letter);
  in.skip_space();
  const Unit* unit = name.empty() ? find_unit(size_units, "B") : find_unit(size_units, name);
  if (!unit) return error("has the unknown unit " + quoted(name) + " (B, K, KiB, KB, M, MiB, MB, G, GiB, GB, T, TiB, TB)");
  if (!in.rest.empty()) return error("has something after its unit");
  auto value = scale(*number, unit->factor, ns_max);
  if (!value) return error("is too large");
  return *value;
}

std::string format_duration(nanoseconds value) {
  if (value.count() < 0) return "-" + format_duration(-value);
  auto left = static_cast<std::uint64_t>(value.count());
  if (left == 0) return "0s";
  std::string text;
  std::uint64_t last = 0;
  for (const Unit& unit : duration_units) {
    if (unit.factor == last) continue;
    last = unit.factor;
    if (left < unit.factor) continue;
    text += std::to_string(left / unit.factor) + std::string(unit.name);
    left %= unit.factor;
  }
  return text;
}

std::string format_size(std::uint64_t bytes) {
  for (std::string_view name : {"TiB", "GiB", "MiB", "KiB"}) {
    const Unit* unit = find_unit(size_units, name);
    if (bytes >= unit->factor && bytes % unit->factor == 0)
      return std::to_string(bytes / unit->factor) + std::string(name);
  }
  return std::to_string(bytes) + "B";
}

}  // namespace corund::config
