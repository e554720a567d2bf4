// SPDX-License-Identifier: MIT
#include "daemon/job/ulid.hpp"

#include <set>

#include "support/catch.hpp"

using corund::job::Ulid;
using corund::job::UlidSource;

TEST_CASE("an id is 26 characters that read back") {
  UlidSource source;
  const Ulid id = source.next(1'700'000'000'123'456);
  CHECK(id.milliseconds() == 1'700'000'000'123);
  const std::string text = id.to_string();
  CHECK(text.size() == 26);
  CHECK(text.substr(0, 10) == "01HF7YAT3V");  // the time, by the standard's own alphabet
  CHECK(Ulid::parse(text) == id);
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  CHECK(Ulid::parse(lower) == id);
}

TEST_CASE("ids only grow, whatever the clock does, and their texts sort with them") {
  UlidSource source;
  std::int64_t clock = 1'700'000'000'000'000;
  Ulid last;
  std::string last_text;
  for (int i = 0; i < 100'000; ++i) {
    clock += i % 1000 == 0 ? -5000 : i % 7 == 0 ? 1000 : 0;
    const Ulid id = source.next(clock);
    const std::string text = id.to_string();
    REQUIRE(last < id);
    REQUIRE(last_text < text);
    last = id;
    last_text = text;
  }
}

TEST_CASE("two sources do not make the same ids") {
  UlidSource one, other;
  std::set<Ulid> all;
  for (int i = 0; i < 1000; ++i) {
    all.insert(one.next(1'000'000 + i * 1000));
    all.insert(other.next(1'000'000 + i * 1000));
  }
  CHECK(all.size() == 2000);
}

TEST_CASE("what is no id is refused") {
  CHECK_FALSE(Ulid::parse(""));
  CHECK_FALSE(Ulid::parse("01HF7YAT1V000000000000000"));    // short
  CHECK_FALSE(Ulid::parse("01HF7YAT1V00000000000000000"));  // long
  CHECK_FALSE(Ulid::parse("81HF7YAT1V0000000000000000"));   // more than 128 bits
  CHECK_FALSE(Ulid::parse("01HF7YAT1VU000000000000000"));   // no such digit
  CHECK(Ulid::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
}
