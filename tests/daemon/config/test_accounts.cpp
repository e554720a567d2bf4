// SPDX-License-Identifier: MIT
#include "config/accounts.hpp"

#include <pwd.h>

#include "config/changes.hpp"
#include "config/load.hpp"
#include "support/catch.hpp"

using namespace corund::config;

namespace {

Accounts accounts_of(std::initializer_list<std::string_view> texts) {
  Accounts accounts;
  for (const auto text : texts) REQUIRE(add_account(accounts, text).has_value());
  return accounts;
}

std::string complaint_of(std::string_view text) {
  Accounts accounts;
  const auto added = add_account(accounts, text);
  CHECK(accounts == Accounts{});
  return added ? "" : added.error();
}

AccessConfig access_of(std::string_view text) {
  auto config = parse(text, "f");
  if (!config)
    for (const Fault& fault : config.error()) FAIL_CHECK(to_string(fault));
  REQUIRE(config.has_value());
  return config->access;
}

}  // namespace

TEST_CASE("users and groups are told by name and by number, everybody by a star") {
  CHECK(accounts_of({"root"}) == Accounts{false, {0}, {}});
  CHECK(accounts_of({"@root"}) == Accounts{false, {}, {0}});
  CHECK(accounts_of({"1001", "@27", "@5", "1001", "7"}) == Accounts{false, {7, 1001}, {5, 27}});
  CHECK(accounts_of({"*"}) == Accounts{true, {}, {}});
  for (const passwd* entry = ::getpwent(); entry; entry = ::getpwent()) {
    const uid_t uid = entry->pw_uid;
    CHECK(accounts_of({std::string(entry->pw_name)}).users == std::vector<uid_t>{uid});
  }
  ::endpwent();
}

TEST_CASE("a name that nobody has is a complaint, and nothing is taken") {
  CHECK(complaint_of("nobody-has-this-name") == "there is no user \"nobody-has-this-name\"");
  CHECK(complaint_of("@nobody-has-this-name") == "there is no group \"nobody-has-this-name\"");
  CHECK(complaint_of("4294967295") == "there is no user \"4294967295\"");  // the id that means none
  CHECK(complaint_of("-1") == "there is no user \"-1\"");
  for (const std::string_view text : {std::string_view(""), std::string_view("@"), std::string_view("a\0b", 3)})
    CHECK(complaint_of(text) == "must name a user (\"alice\"), a group (\"@ops\"), or everybody (\"*\")");
}

TEST_CASE("the table [access] is read, kinds with dots in their names among it") {
  CHECK(access_of("") == AccessConfig{{}, {true, {}, {}}, {}, {}});
  const AccessConfig access = access_of(R"(
[access]
view = ["*"]
submit = ["root", 1001]
admin = ["@root", "@44"]
[access.kinds]
exec = ["@44"]
"a.b" = [5]
c.d = []
)");
  CHECK(access.view == Accounts{true, {}, {}});
  CHECK(access.submit == Accounts{false, {0, 1001}, {}});
  CHECK(access.admin == Accounts{false, {}, {0, 44}});
  CHECK(access.kinds == std::map<std::string, Accounts>{{"exec", {false, {}, {44}}}, {"a.b", {false, {5}, {}}}, {"c.d", {}}});
  CHECK(access_of("[access]\nsubmit = []\n").submit == Accounts{});
  CHECK(access_of("[access.kinds]\n").kinds.empty());
}

TEST_CASE("what is wrong with [access] is named with its line and key, all of it") {
  const auto config = parse(R"([access]
view = "root"
submit = ["root", "nobody-has-this-name",
          true]
everybody = []
[access.kinds]
exec = ["@nobody-has-this-name"]
)",
                            "corund.toml");
  REQUIRE_FALSE(config.has_value());
  std::vector<std::string> faults;
  for (const Fault& fault : config.error()) faults.push_back(to_string(fault));
  CHECK(faults == std::vector<std::string>{
                      "corund.toml:2: access.view: must be an array of users and groups such as [\"alice\", \"@ops\"], not string",
                      "corund.toml:3: access.submit: there is no user \"nobody-has-this-name\"",
                      "corund.toml:4: access.submit: must name a user (\"alice\"), a group (\"@ops\"), or everybody (\"*\")",
                      "corund.toml:5: access.everybody: there is no such key",
                      "corund.toml:7: access.kinds.exec: there is no group \"nobody-has-this-name\"",
                  });
}

TEST_CASE("a reload takes lists over, those of kinds too") {
  Config in_force = *parse("[access.kinds]\nexec = [5]\necho = [5]\n", "f");
  const Config read = *parse("[access]\nadmin = [7]\n[access.kinds]\nexec = [5, 6]\nsleep = []\n", "f");
  const Changes changes = take_over(in_force, read);
  CHECK(changes == Changes{{"access.admin", "access.kinds.echo", "access.kinds.exec", "access.kinds.sleep"}, {}});
  CHECK(in_force == read);
  CHECK(take_over(in_force, read) == Changes{});
}
