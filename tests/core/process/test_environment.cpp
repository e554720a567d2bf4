// SPDX-License-Identifier: MIT
#include <corun/process/environment.hpp>

#include <set>
#include <system_error>

#include "support/catch.hpp"

using corun::Environment;

namespace {

std::multiset<std::string> entries_of(const Environment& environment) {
  const auto entries = environment.entries();
  return {entries.begin(), entries.end()};
}

}  // namespace

TEST_CASE("an environment is what it was made of with what was changed since") {
  Environment environment(std::map<std::string, std::string>{{"A", "1"}, {"AB", "2"}, {"GONE", ""}});
  environment.set("A", "x=y");
  environment.set("NEW", "");
  environment.unset("GONE");
  environment.unset("NEVER");
  CHECK(entries_of(environment) == std::multiset<std::string>{"A=x=y", "AB=2", "NEW="});
  CHECK(environment.find("A") == std::optional<std::string_view>("x=y"));
  CHECK(environment.find("AB") == std::optional<std::string_view>("2"));
  CHECK(environment.find("NEW") == std::optional<std::string_view>(""));
  CHECK_FALSE(environment.find("GONE"));
  CHECK_FALSE(environment.find("N"));
  environment.set("GONE", "back");
  environment.set("A", "last");
  environment.unset("NEW");
  CHECK(entries_of(environment) == std::multiset<std::string>{"A=last", "AB=2", "GONE=back"});
  CHECK(entries_of(Environment()).empty());
}

TEST_CASE("a copy of an environment goes its own way") {
  const Environment first(std::map<std::string, std::string>{{"A", "1"}});
  Environment second = first;
  second.set("A", "2");
  Environment third = second;
  third.unset("A");
  CHECK(entries_of(first) == std::multiset<std::string>{"A=1"});
  CHECK(entries_of(second) == std::multiset<std::string>{"A=2"});
  CHECK(entries_of(third).empty());
}

TEST_CASE("a variable with a zero byte is refused, and nothing has changed") {
  const std::string zero("a\0b", 3);
  Environment environment(std::map<std::string, std::string>{{"A", "1"}});
  CHECK_THROWS_AS(environment.set("A", zero), std::system_error);
  CHECK_THROWS_AS(environment.set(zero, "A"), std::system_error);
  CHECK_THROWS_AS(environment.unset(zero), std::system_error);
  CHECK_THROWS_AS(Environment(std::map<std::string, std::string>{{"A", zero}}), std::system_error);
  CHECK(entries_of(environment) == std::multiset<std::string>{"A=1"});
}
