// SPDX-License-Identifier: MIT
// Who may do what: a real daemon, and peers of other users and groups, as the kernel tells them apart.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "integration/as_user.hpp"
#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::AsUser;
using tests::Daemon;
using tests::DaemonOptions;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

namespace {

constexpr const char* denied = "PermissionDenied";
constexpr const char* open_socket = "[socket]\nmode = \"0666\"\n";
const std::string jobs = "io.corund.Jobs.", own = "io.corund.Daemon.", service = "io.systemd.service.", varlink = "org.varlink.service.";

// For everybody to connect to; who may do what is the daemon's to say.
void open_to_all(Daemon& daemon) {
  REQUIRE(::chmod((daemon.directory() / ".").c_str(), 0755) == 0);
  REQUIRE(::chmod(daemon.socket().c_str(), 0666) == 0);
}

SocketClient as(const Daemon& daemon, uid_t user, const std::vector<gid_t>& groups = {}) {
  const AsUser now(user, groups);
  return SocketClient(daemon);
}

std::set<std::string> ids_seen_by(SocketClient& client) {
  std::set<std::string> ids;
  for (const Json& reply : client.ask_more(jobs + "List")) {
    INFO(reply);
    REQUIRE(error_of(reply) == "");
    if (reply["parameters"].contains("job")) ids.insert(reply["parameters"]["job"]["id"]);
  }
  return ids;
}

std::string submit_sleep(SocketClient& client) { return client.submit("sleep", {{"seconds", 3600}}); }

const std::vector<std::pair<std::string, Json>>& administration() {
  static const std::vector<std::pair<std::string, Json>> calls = {
      {own + "Pause", Json::object()},         {own + "Resume", Json::object()},
      {own + "SetGroup", {{"name", "g"}, {"limit", 3}}}, {own + "SetLogLevel", {{"level", 6}}},
      {service + "SetLogLevel", {{"level", 6}}}, {service + "GetEnvironment", Json::object()},
      {own + "Reload", Json::object()},        {service + "Reload", Json::object()},
  };
  return calls;
}

void check_administration(SocketClient& client, const std::string& answer) {
  for (const auto& [method, parameters] : administration()) {
    INFO(method);
    CHECK(error_of(client.ask(method, parameters)) == answer);
  }
}

// The test's users can run the daemon only where they can reach it.
bool reach_the_binary(uid_t user) {
  const AsUser now(user);
  return ::eaccess(CORUND_BINARY, X_OK) == 0;
}

}  // namespace

TEST_CASE("access: view sees all jobs and does nothing else, submit sees and ends its own") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Daemon daemon({.config = std::string(open_socket) + "[access]\nview = [2001, 2005]\nsubmit = [2002, 2003, 2005]\n"});
  open_to_all(daemon);
  SocketClient viewer = as(daemon, 2001), one = as(daemon, 2002), other = as(daemon, 2003), both = as(daemon, 2005);
  const std::string first = submit_sleep(one), second = submit_sleep(other);
  const std::string ended = one.submit("echo", {{"x", 1}});
  one.wait(ended);

  CHECK(ids_seen_by(viewer) == std::set<std::string>{first, second, ended});
  CHECK(viewer.show(first)["ownerUid"] == 2002);
  CHECK(viewer.wait(ended)["state"] == "succeeded");
  CHECK(error_of(viewer.ask(jobs + "Stack", {{"id", first}})) == "");
  CHECK(error_of(viewer.ask_more(jobs + "Logs", {{"id", ended}}).back()) == "");
  CHECK(error_of(viewer.ask_more(jobs + "Watch", {{"id", ended}}).back()) == "");
  for (const char* method : {"Status", "Metrics"}) CHECK(error_of(viewer.ask(own + method)) == "");
  {
    SocketClient subscriber = as(daemon, 2001), stranger = as(daemon, 2003);
    for (SocketClient* client : {&subscriber, &stranger}) {
      // In one piece: once the first call is answered, the second one is taken.
      client->send(tests::call_text(varlink + "GetInfo", Json::object()) + tests::call_text(own + "Subscribe", Json::object(), '\0', {{"more", true}}));
      client->reply();
    }
    for (SocketClient* client : {&subscriber, &stranger}) {
      const std::string id = (client == &subscriber ? one : other).submit("echo");
      CHECK(client->reply()["parameters"]["id"] == id);  // of another's, resp. the first of its own: nothing of another's before it
    }
  }

  for (const auto& [method, parameters] : std::vector<std::pair<std::string, Json>>{{"Run", {{"kind", "echo"}}},
                                                                                    {"Submit", {{"kind", "echo"}}},
                                                                                    {"SubmitMany", {{"jobs", {{{"kind", "echo"}}}}}},
                                                                                    {"Cancel", {{"id", first}}},
                                                                                    {"Retry", {{"id", ended}}},
                                                                                    {"Remove", {{"id", ended}}},
                                                                                    {"DropContext", {{"name", "c"}}}}) {
    INFO(method);
    CHECK(error_of(viewer.ask(jobs + method, parameters)) == denied);
  }
  check_administration(viewer, denied);
  check_administration(one, denied);

  CHECK(ids_seen_by(other).count(first) == 0);
  for (const char* method : {"Show", "Cancel", "Retry", "Remove", "Wait", "Stack"}) {
    INFO(method);
    CHECK(error_of(other.ask(jobs + method, {{"id", first}})) == "JobNotFound");
  }
  // Who sees it is told that it may not; by a filter, what it may not is left alone.
  CHECK(error_of(both.ask(jobs + "Cancel", {{"id", first}})) == denied);
  CHECK(error_of(both.ask(jobs + "Remove", {{"id", ended}})) == denied);
  CHECK(both.ask(jobs + "Remove", {{"kinds", {"echo"}}})["parameters"]["count"] == 0);
  CHECK(both.show(first)["state"] == "running");
  const Json again = both.ask(jobs + "Retry", {{"id", ended}});
  CHECK(both.wait(again["parameters"]["id"])["ownerUid"] == 2005);
  CHECK(one.ask(jobs + "Cancel", {{"id", first}})["parameters"]["outcome"] == "unwound");
  CHECK(SocketClient(daemon).ask(jobs + "Cancel", {{"id", second}})["parameters"]["outcome"] == "unwound");
}

TEST_CASE("access: who is in no list has no role, and is told so by every method that asks for one") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Daemon daemon({.config = std::string(open_socket) + "[access]\nsubmit = [2002]\n", .with_probe = false});
  open_to_all(daemon);
  SocketClient one = as(daemon, 2002), nobody = as(daemon, 2009, {2002});  // a group of that number is no user
  const std::string id = submit_sleep(one);
  for (const auto& [method, parameters] : std::vector<std::pair<std::string, Json>>{{jobs + "Show", {{"id", id}}},
                                                                                    {jobs + "Wait", {{"id", id}}},
                                                                                    {jobs + "Run", {{"kind", "echo"}}},
                                                                                    {jobs + "Stack", Json::object()},
                                                                                    {jobs + "ListKinds", Json::object()},
                                                                                    {jobs + "ListContexts", Json::object()},
                                                                                    {own + "Status", Json::object()},
                                                                                    {own + "Metrics", Json::object()}}) {
    INFO(method);
    CHECK(error_of(nobody.ask(method, parameters)) == denied);
  }
  for (const auto& [method, parameters] : std::vector<std::pair<std::string, Json>>{
           {jobs + "List", Json::object()}, {jobs + "Watch", {{"id", id}}}, {jobs + "Logs", {{"id", id}}}, {own + "Subscribe", Json::object()}}) {
    INFO(method);
    CHECK(error_of(nobody.ask_more(method, parameters).back()) == denied);
  }
  check_administration(nobody, denied);
  CHECK(error_of(nobody.ask(service + "Ping")) == "");
  CHECK(error_of(nobody.ask(varlink + "GetInfo")) == "");
}

TEST_CASE("access: a kind's list says who of those that submit may run it") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Daemon daemon({.config = std::string(open_socket) + "[access]\nsubmit = [2001, 2002]\n[access.kinds]\necho = [\"@3001\", 2009]\nehco = [2001]\n"});
  open_to_all(daemon);
  CHECK(daemon.logs("access.kinds.ehco: there is no kind of that name"));
  SocketClient member = as(daemon, 2001, {7, 3001}), other = as(daemon, 2002), listed_there_alone = as(daemon, 2009);
  CHECK(error_of(member.run("echo")) == "");
  CHECK(error_of(other.run("echo")) == denied);
  CHECK(error_of(other.run("sleep", {{"seconds", 0}})) == "");
  CHECK(error_of(other.run("nothing")) == "KindNotFound");
  CHECK(error_of(listed_there_alone.run("echo")) == denied);
  CHECK(error_of(SocketClient(daemon).run("echo")) == "");
  // What a kind runs in its turn is its author's to say; the job is still the same user's.
  CHECK(other.run("probe.child", {{"kind", "echo"}, {"args", Json::object()}})["parameters"]["state"] == "succeeded");
  for (const Json& reply : other.ask_more(jobs + "List", {{"kinds", {"echo"}}})) CHECK(reply["parameters"]["job"]["ownerUid"] == 2002);
  const auto before = ids_seen_by(other);
  CHECK(error_of(other.ask(jobs + "SubmitMany", {{"jobs", {{{"kind", "sleep"}, {"args", {{"seconds", 0}}}}, {{"kind", "echo"}}}}})) == denied);
  CHECK(ids_seen_by(other) == before);
}

TEST_CASE("access: an administrator is one by its user, its group or another of its groups") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Daemon daemon({.config = std::string(open_socket) + "[access]\nadmin = [2001, \"@3001\"]\n", .with_probe = false});
  open_to_all(daemon);
  SocketClient anybody = as(daemon, 2002);
  const std::string id = submit_sleep(anybody);  // the other lists are as they are without the table
  check_administration(anybody, denied);
  SocketClient by_user = as(daemon, 2001), by_group = as(daemon, 3001), by_groups = as(daemon, 2003, {5, 3001});
  for (SocketClient* administrator : {&by_user, &by_group, &by_groups}) check_administration(*administrator, "");
  CHECK(ids_seen_by(by_groups) == std::set<std::string>{id});
  CHECK(by_groups.ask(jobs + "Cancel", {{"id", id}})["parameters"]["outcome"] == "unwound");
}

TEST_CASE("access: the system daemon's own user, and so its commands, administer nothing") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  constexpr uid_t dynamic = 61234;
  if (!reach_the_binary(dynamic)) CORUND_SKIP("other users cannot reach the build directory");
  Daemon daemon({.config = std::string(open_socket) + "[access]\nadmin = [\"*\"]\n",
                 .with_probe = false,
                 .environment = {{"STATE_DIRECTORY", "/var/lib/private/corund"}},
                 .user = dynamic});
  open_to_all(daemon);
  SocketClient itself = as(daemon, dynamic);
  check_administration(itself, denied);
  const Json reply = itself.run("exec", {{"argv", {CORUNCTL_PATH, "--socket", daemon.socket(), "pause"}}});
  REQUIRE(error_of(reply) == "JobFailed");
  CHECK(reply["parameters"]["result"]["stderrTail"].get<std::string>().find("[access]") != std::string::npos);
  SocketClient listed = as(daemon, 2001);
  CHECK(error_of(listed.ask(own + "Pause")) == "");
}

TEST_CASE("access: whoever starts a daemon from a shell administers it, whatever its number") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  for (const uid_t user : {990u, 61234u}) {
    INFO(user);
    if (!reach_the_binary(user)) CORUND_SKIP("other users cannot reach the build directory");
    Daemon daemon({.config = open_socket, .with_probe = false, .user = user});
    open_to_all(daemon);
    SocketClient itself = as(daemon, user), other = as(daemon, 2001);
    check_administration(other, denied);
    check_administration(itself, "");
    const std::string id = submit_sleep(other);
    CHECK(itself.ask(jobs + "Cancel", {{"id", id}})["parameters"]["outcome"] == "unwound");
  }
}

TEST_CASE("access: a reload changes the roles of connections that are open, all of them or none") {
  if (::geteuid() != 0) CORUND_SKIP("needs root");
  Daemon daemon({.config = open_socket, .with_probe = false});
  open_to_all(daemon);
  SocketClient root(daemon), one = as(daemon, 2001), other = as(daemon, 2002);
  const std::string id = submit_sleep(one);
  const auto reload = [&](const std::string& text) {
    tests::write_file(daemon.directory() / "corund.toml", open_socket + text);
    return root.ask(own + "Reload");
  };
  CHECK(error_of(other.ask(jobs + "Show", {{"id", id}})) == "JobNotFound");
  Json reply = reload("[access]\nview = [2002]\nsubmit = [2001]\n[access.kinds]\necho = []\n");
  CHECK(reply["parameters"]["changed"] == Json({"access.view", "access.submit", "access.kinds.echo"}));
  CHECK(other.show(id)["ownerUid"] == 2001);
  CHECK(error_of(other.run("sleep", {{"seconds", 0}})) == denied);
  CHECK(error_of(one.run("echo")) == denied);
  CHECK(error_of(one.run("sleep", {{"seconds", 0}})) == "");

  reply = reload("[access]\nadmin = [2001]\nview = [\"nobody-has-this-name\"]\n");
  REQUIRE(error_of(reply) == "BadConfiguration");
  CHECK(reply["parameters"]["faults"][0]["key"] == "access.view");
  CHECK(reply["parameters"]["faults"][0]["line"] == 5);
  CHECK(error_of(one.ask(own + "Pause")) == denied);

  CHECK(error_of(reload("[access]\nadmin = [2002]\nsubmit = []\n")) == "");
  CHECK(error_of(one.ask(jobs + "Show", {{"id", id}})) == denied);
  CHECK(other.ask(jobs + "Cancel", {{"id", id}})["parameters"]["outcome"] == "unwound");
}
