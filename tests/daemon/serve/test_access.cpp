// SPDX-License-Identifier: MIT
#include "daemon/serve/access.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "daemon/job/table.hpp"
#include "daemon/serve/dispatch.hpp"
#include "support/catch.hpp"

using namespace corund::serve;
using corund::config::AccessConfig;
using corund::config::Accounts;

namespace {

constexpr uid_t own = 61234, alice = 1001, bob = 1002;
constexpr gid_t ops = 44, staff = 50;

Peer peer(uid_t uid, gid_t gid = 100, std::vector<gid_t> groups = {}) { return {1, uid, gid, std::move(groups)}; }
Accounts user(uid_t uid) { return {false, {uid}, {}}; }
Accounts group(gid_t gid) { return {false, {}, {gid}}; }

// "nrsa": which of the four needs the peer meets.
std::string allowed(const Access& access, const Peer& of) {
  std::string text;
  for (const auto& [need, letter] : {std::pair(Need::nothing, 'n'), std::pair(Need::role, 'r'), std::pair(Need::submit, 's'), std::pair(Need::admin, 'a')})
    if (access.allows(of, need)) text += letter;
  return text;
}

}  // namespace

TEST_CASE("without a configuration root administers, and everybody else submits and sees their own") {
  const AccessConfig none;
  const Access access(own, false, none);
  CHECK(allowed(access, peer(0)) == "nrsa");
  CHECK(allowed(access, peer(alice)) == "nrs");
  CHECK(access.may_see(peer(0), alice));
  CHECK(access.may_see(peer(alice), alice));
  CHECK_FALSE(access.may_see(peer(bob), alice));
  CHECK(access.may_submit(peer(bob), "exec"));
}

TEST_CASE("the daemon's own user administers a daemon of its own, and never the system's") {
  const AccessConfig none;
  CHECK(allowed(Access(own, true, none), peer(own)) == "nrsa");
  CHECK(allowed(Access(990, true, none), peer(990)) == "nrsa");  // what number it is says nothing
  CHECK(allowed(Access(own, false, none), peer(own)) == "nrs");
  AccessConfig generous;
  generous.admin = {true, {own}, {staff}};
  CHECK(allowed(Access(own, false, generous), peer(own, staff)) == "nrs");
  CHECK(allowed(Access(own, false, generous), peer(alice)) == "nrsa");
  CHECK(allowed(Access(0, false, none), peer(0)) == "nrsa");
}

TEST_CASE("a list holds a user by its id, and by its primary and its other groups") {
  AccessConfig config;
  config.submit = group(staff);
  config.admin = {false, {alice}, {ops}};
  const Access access(own, false, config);
  CHECK(allowed(access, peer(bob)) == "n");
  CHECK(allowed(access, peer(bob, staff)) == "nrs");
  CHECK(allowed(access, peer(bob, 100, {7, staff})) == "nrs");
  CHECK(allowed(access, peer(alice)) == "nrsa");
  CHECK(allowed(access, peer(bob, 100, {ops})) == "nrsa");
}

TEST_CASE("view sees all jobs and does nothing else") {
  AccessConfig config;
  config.view = user(alice);
  config.submit = user(bob);
  const Access access(own, false, config);
  corund::job::Table table;
  corund::job::Job& job = table.add(1);
  job.spec.owner = bob;
  CHECK(allowed(access, peer(alice)) == "nr");
  CHECK(access.may_see(peer(alice), job));
  CHECK_FALSE(access.may_end(peer(alice), job));
  CHECK_FALSE(access.may_submit(peer(alice), "echo"));
  CHECK(access.may_end(peer(bob), job));
  CHECK(access.may_end(peer(0), job));
  job.spec.owner = 0;
  CHECK_FALSE(access.may_see(peer(bob), job));
  CHECK_FALSE(access.may_end(peer(bob), job));
  // Who has lost its role sees nothing, its own jobs neither.
  job.spec.owner = 1003;
  CHECK_FALSE(access.may_see(peer(1003), job));
  CHECK_FALSE(access.may_end(peer(1003), job));
  // Seeing all does not add to what one may end.
  config.submit = {true, {}, {}};
  CHECK(access.may_submit(peer(alice)));
  CHECK_FALSE(access.may_end(peer(alice), job));
}

TEST_CASE("a kind's list is a choice among those who may submit") {
  AccessConfig config;
  config.submit = {false, {alice, bob}, {}};
  config.kinds = {{"exec", {false, {alice}, {ops}}}, {"sleep", {}}};
  const Access access(own, false, config);
  CHECK(access.may_submit(peer(alice), "exec"));
  CHECK(access.may_submit(peer(bob, 100, {ops}), "exec"));
  CHECK_FALSE(access.may_submit(peer(bob), "exec"));
  CHECK(access.may_submit(peer(bob), "echo"));
  CHECK_FALSE(access.may_submit(peer(1003, ops), "exec"));  // in the kind's list alone
  CHECK_FALSE(access.may_submit(peer(alice), "sleep"));
  CHECK(access.may_submit(peer(0), "sleep"));
}

TEST_CASE("a reload counts from the next question on") {
  AccessConfig config;
  const Access access(own, false, config);
  CHECK(allowed(access, peer(alice)) == "nrs");
  config.submit = user(bob);
  CHECK(allowed(access, peer(alice)) == "n");
  config.admin = user(alice);
  CHECK(allowed(access, peer(alice)) == "nrsa");
}

TEST_CASE("the protocol says of each method what it needs of its caller") {
  std::ifstream in(std::string(CORUND_SOURCE_ROOT) + "/docs/protocol.md");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string protocol = text.str();
  const std::size_t begin = protocol.find("## Who may do what");
  REQUIRE(begin != std::string::npos);
  // | `interface` | nothing | any role | submit | admin |
  std::map<std::string, Need> told;
  std::istringstream lines(protocol.substr(begin, protocol.find("\n## ", begin + 1) - begin));
  const std::regex name("`([A-Za-z.]+)`");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `io.") && !line.starts_with("| `org.")) continue;
    std::vector<std::string> cells;
    std::istringstream row(line.substr(1));
    for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
    REQUIRE(cells.size() == 5);
    std::smatch interface;
    REQUIRE(std::regex_search(cells[0], interface, name));
    for (std::size_t i = 1; i < cells.size(); ++i)
      for (std::sregex_iterator at(cells[i].begin(), cells[i].end(), name), end; at != end; ++at)
        CHECK(told.try_emplace(interface[1].str() + "." + (*at)[1].str(), static_cast<Need>(i - 1)).second);
  }
  std::map<std::string, Need> needed;
  for (const Method& method : method_table()) needed.emplace(method.name, method.need);
  for (const auto& [method, need] : needed) {
    INFO(method);
    CHECK(told.count(method) == 1);
    CHECK((told.count(method) == 1 && told[method] == need));
  }
  CHECK(told.size() == needed.size());
}
