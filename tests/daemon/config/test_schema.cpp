// SPDX-License-Identifier: MIT
// The shipped corund.toml against the code: every key is in it, commented, and says the default; so does the manual.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "config/load.hpp"
#include "config/schema.hpp"
#include "support/catch.hpp"

using namespace corund::config;

namespace {

std::string read_source(const std::string& name) {
  std::ifstream in(std::string(CORUND_SOURCE_ROOT) + "/" + name);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// "# key = value" becomes "key = value"; prose stays a comment.
std::string uncommented(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)# ([a-z_]+ = )"), "$1$2");
}

void collect(const toml::table& table, const std::string& prefix, std::set<std::string>& names) {
  for (const auto& [key, node] : table) {
    std::string name = prefix + std::string(key.str());
    if (const toml::table* inner = node.as_table())
      collect(*inner, name + ".", names);
    else
      names.insert(name);
  }
}

}  // namespace

TEST_CASE("the shipped configuration is the built-in defaults, as it is and with every key uncommented") {
  std::string text = read_source("config/corund.toml");
  auto as_shipped = parse(text, "corund.toml");
  REQUIRE(as_shipped.has_value());
  CHECK(*as_shipped == Config{});
  auto all = parse(uncommented(text), "corund.toml");
  if (!all)
    for (const Fault& fault : all.error()) FAIL_CHECK(to_string(fault));
  REQUIRE(all.has_value());
  CHECK(*all == Config{});
}

TEST_CASE("the shipped configuration holds every key and no other") {
  std::set<std::string> shipped;
  collect(toml::parse(uncommented(read_source("config/corund.toml"))), "", shipped);
  Config config;
  std::set<std::string> known;
  for (const Key& key : keys_of(config, {"default", "exec"})) known.insert(key.name);
  CHECK(shipped == known);
}

TEST_CASE("each key of the shipped configuration reaches a member of its own") {
  // A key bound to another key's member would read and compare well, and act on the wrong thing.
  const std::string text = uncommented(read_source("config/corund.toml"));
  std::set<std::string> seen;
  for (const auto& [key, other] : std::vector<std::pair<std::string, std::string>>{
           {"debug = false", "debug = true"}, {"required = false", "required = true"}, {"path = \"\"", "path = \"/x\""},
           {"group = \"\"", "group = \"x\""}, {"\"0660\"", "\"0600\""}, {"view = []", "view = [5]"},
           {"submit = [\"*\"]", "submit = []"}, {"admin = []", "admin = [5]"}, {"\"info\"", "\"debug\""}, {"\"auto\"\n# Rec", "\"null\"\n# Rec"},
           {"shell = \"/bin/sh\"", "shell = \"/x\""}, {"[\"/usr/local/lib/corund\", \"/usr/lib/corund\"]", "[]"},
           {"max_workers = \"auto\"", "max_workers = 3"}, {"slow_step = \"auto\"", "slow_step = 3"}, {"\"cpus\"\n\n[jobs]", "77\n\n[jobs]"}}) {
    INFO(key);
    std::string changed = text;
    auto at = changed.find(key);
    REQUIRE(at != std::string::npos);
    changed.replace(at, key.size(), other);
    auto config = parse(changed, "corund.toml");
    REQUIRE(config.has_value());
    CHECK_FALSE(*config == Config{});
  }
}

TEST_CASE("the manual explains every key and no other") {
  const std::string manual = read_source("docs/man/corund.toml.5.scd");
  std::set<std::string> explained;
  std::string table;
  std::istringstream lines(manual);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, std::regex("# \\\\?\\[(.*)\\] TABLE|## \\\\?\\[(.*)\\]")))
      table = match[1].matched ? match[1].str() : match[2].str();
    else if (std::regex_match(line, match, std::regex("\\*([a-z_]+)\\* = .*")))
      explained.insert(table + "." + match[1].str());
  }
  Config config;
  std::set<std::string> known;
  for (const Key& key : keys_of(config, {"NAME"})) known.insert(key.name);
  CHECK(explained == known);
}
