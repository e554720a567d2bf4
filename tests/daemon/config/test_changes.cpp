// SPDX-License-Identifier: MIT
#include "config/changes.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include "config/load.hpp"
#include "config/schema.hpp"
#include "support/catch.hpp"

using namespace corund::config;
using Names = std::vector<std::string>;

TEST_CASE("every key of the schema says whether a reload takes it") {
  Config config;
  Names names;
  for (const Key& key : keys_of(config, {})) names.push_back(key.name);
  CHECK(known_keys() == names);
}

TEST_CASE("what can change changes, the rest stays and is named each time") {
  Config in_force;
  const Config read = *parse("[limits]\nsessions = 5\n[store]\npath = \"/a\"\n[groups.a]\nlimit = 3\n", "f");
  Changes first = take_over(in_force, read);
  CHECK(first.changed == Names{"limits.sessions", "groups.a.limit"});
  CHECK(first.needs_restart == Names{"store.path"});
  CHECK(first.has("limits.sessions"));
  CHECK_FALSE(first.has("store.path"));
  CHECK(first.has_any("groups."));
  CHECK_FALSE(first.has_any("jobs."));
  CHECK(in_force.limits.sessions == 5);
  CHECK(in_force.store.path.empty());
  CHECK(in_force.groups.at("a").limit == 3);
  CHECK(take_over(in_force, read) == Changes{{}, {"store.path"}});
  // Back to where it was: nothing waits any more.
  CHECK(take_over(in_force, Config()) == Changes{{"limits.sessions", "groups.a.limit"}, {}});
  CHECK(in_force == Config());
}

TEST_CASE("the manual says of each key that needs a restart that it does") {
  std::ifstream in(std::string(CORUND_SOURCE_ROOT) + "/docs/man/corund.toml.5.scd");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string manual = text.str();
  const std::size_t begin = manual.find("# RELOADING");
  REQUIRE(begin != std::string::npos);
  const std::string section = manual.substr(begin, manual.find("\n# ", begin + 1) - begin);
  for (const std::string& key : known_keys()) {
    INFO(key);
    const std::string table = key.substr(0, key.find('.'));
    const bool is_told = section.find("*" + key + "*") != std::string::npos || section.find("*[" + table + "]*") != std::string::npos;
    CHECK(is_told == needs_restart(key));
  }
}
