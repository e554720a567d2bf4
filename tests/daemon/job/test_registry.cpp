// SPDX-License-Identifier: MIT
#include "daemon/job/registry.hpp"

#include <corun/base/errors.hpp>

#include "support/catch.hpp"

using namespace corund::job;

namespace {
Kind kind(std::string_view name) { return make_kind(name, {}, {}, {.summary = "what it does", .group = "mine"}); }
}  // namespace

TEST_CASE("a kind is found by its name, with what it said of itself") {
  Registry registry;
  registry.add(kind("image.resize"));
  REQUIRE(registry.find("image.resize"));
  CHECK(registry.find("image.resize")->summary == "what it does");
  CHECK(registry.find("image.resize")->group == "mine");
  CHECK_FALSE(registry.find("image"));
}

TEST_CASE("a name is taken once, and must be one") {
  Registry registry;
  registry.add(kind("echo"));
  CHECK_THROWS_AS(registry.add(kind("echo")), corun::ValueError);
  for (const char* wrong : {"", "1x", "a b", "a/b", "\xc3\xa4"}) CHECK_THROWS_AS(registry.add(kind(wrong)), corun::ValueError);
  CHECK_THROWS_AS(registry.add(kind(std::string(200, 'a'))), corun::ValueError);
}

TEST_CASE("another registry comes in whole or not at all") {
  Registry registry, good, bad;
  registry.add(kind("echo"));
  const Kind* echo = registry.find("echo");
  good.add(kind("one"));
  bad.add(kind("two"));
  bad.add(kind("echo"));
  CHECK_THROWS_AS(registry.merge(std::move(bad)), corun::ValueError);
  CHECK_FALSE(registry.find("two"));
  registry.merge(std::move(good));
  CHECK(registry.find("one"));
  CHECK(registry.find("echo") == echo);
}
