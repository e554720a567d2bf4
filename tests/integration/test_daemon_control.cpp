// SPDX-License-Identifier: MIT
// The daemon under its administrator's hand: another configuration while it runs, its log level, its metrics, and its jobs seen by a subscriber.
#include <signal.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::SocketClient;

namespace {

// The daemon's configuration file, with more in it.
void configure(Daemon& daemon, const std::string& text) {
  tests::write_file(daemon.directory() / "corund.toml", "[plugins]\ndirectories = [\"" + (daemon.directory() / "plugins") + "\"]\n" + text);
}

Json reload(SocketClient& client) { return client.ask("io.corund.Daemon.Reload"); }

Json group_of(SocketClient& client, const std::string& name) {
  const Json status = client.ask("io.corund.Daemon.Status");
  for (const auto& group : status["parameters"]["groups"])
    if (group["name"] == name) return group;
  return {};
}

// A line of OpenMetrics: the sample's name with its labels as they stand, and its value.
struct Sample {
  std::string name;
  std::string labels;
  double value;
};

struct Exposition {
  std::map<std::string, std::string> types;
  std::set<std::string> helped;
  std::vector<Sample> samples;

  double value(const std::string& name, const std::string& labels = "") const {
    for (const Sample& sample : samples)
      if (sample.name == name && sample.labels == labels) return sample.value;
    FAIL("no sample " << name << "{" << labels << "}");
    return 0;
  }
};

// Fails the test where a line is not the format's, a sample is not its family's, or a family comes twice or without help.
Exposition parse(const std::string& text) {
  static const std::regex meta("# (TYPE|UNIT|HELP) ([a-z_]+) (.+)");
  static const std::regex sample(R"(([a-z_]+)(?:\{([a-z]+="(?:[^"\\\n]|\\["\\n])*")\})? (-?[0-9.]+(?:e[+-][0-9]+)?))");
  static const std::map<std::string, std::string> suffixes = {{"counter", "_total"}, {"info", "_info"}, {"gauge", ""}, {"summary", ""}};
  Exposition out;
  std::string family;
  bool ended = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO("line: " << line);
    REQUIRE_FALSE(ended);
    std::smatch part;
    if (line == "# EOF") {
      ended = true;
    } else if (std::regex_match(line, part, meta)) {
      if (part[1] == "TYPE") {
        family = part[2];
        REQUIRE(out.types.emplace(family, part[3]).second);
      }
      REQUIRE(part[2] == family);
      if (part[1] == "HELP") out.helped.insert(family);
      if (part[1] == "UNIT") REQUIRE(family.ends_with("_" + part[3].str()));
    } else {
      REQUIRE(std::regex_match(line, part, sample));
      REQUIRE(suffixes.contains(out.types[family]));
      REQUIRE(part[1] == family + suffixes.at(out.types[family]));
      REQUIRE(out.helped.contains(family));
      out.samples.push_back({part[1], part[2], std::stod(part[3])});
    }
  }
  CHECK(ended);
  CHECK(text.ends_with("# EOF\n"));
  return out;
}

Exposition metrics(SocketClient& client) { return parse(client.ask("io.corund.Daemon.Metrics")["parameters"]["text"]); }

}  // namespace

TEST_CASE("a reload puts in force what can change and names what waits for a restart") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(reload(client)["parameters"] == Json{{"changed", Json::array()}, {"needsRestart", Json::array()}});
  configure(daemon, "[limits]\nargs_bytes = 128\n[groups.narrow]\nlimit = 1\n[log]\nqueue_records = 100\n");
  const Json restart = Json::array({"log.queue_records"});
  CHECK(reload(client)["parameters"] ==
        Json{{"changed", Json::array({"limits.args_bytes", "groups.narrow.limit"})}, {"needsRestart", restart}});
  CHECK(error_of(client.run("echo", {{"text", std::string(500, 'x')}})) != "");
  CHECK(group_of(client, "narrow")["limit"] == 1);
  // What waits is named as long as it waits.
  CHECK(reload(client)["parameters"] == Json{{"changed", Json::array()}, {"needsRestart", restart}});
  configure(daemon, "");
  CHECK(reload(client)["parameters"] ==
        Json{{"changed", Json::array({"limits.args_bytes", "groups.narrow.limit"})}, {"needsRestart", Json::array()}});
  CHECK(error_of(client.run("echo", {{"text", std::string(500, 'x')}})) == "");
}

TEST_CASE("of a configuration that is wrong nothing is taken, and every fault is named") {
  Daemon daemon;
  SocketClient client(daemon);
  configure(daemon, "[limits]\nargs_bytes = 128\njson_dept = 5\n[stop]\ngrace = \"soon\"\n");
  const Json reply = reload(client);
  CHECK(reply["error"] == "io.corund.Daemon.BadConfiguration");
  const Json faults = reply["parameters"]["faults"];
  REQUIRE(faults.size() == 2);
  CHECK(faults[0]["file"] == daemon.directory() / "corund.toml");
  CHECK(faults[0]["line"] == 5);
  CHECK(faults[0]["key"] == "limits.json_dept");
  CHECK(faults[0]["reason"].get<std::string>().find("limits.json_depth") != std::string::npos);
  CHECK(faults[1]["key"] == "stop.grace");
  CHECK(error_of(client.run("echo", {{"text", std::string(500, 'x')}})) == "");
}

TEST_CASE("SIGHUP reloads, tells the manager, and a wrong configuration goes to the log") {
  Daemon daemon;
  SocketClient client(daemon);
  configure(daemon, "[groups.default]\nlimit = 7\n");
  daemon.signal(SIGHUP);
  const std::string reloading = daemon.wait_for_notification("RELOADING=1");
  CHECK(std::regex_search(reloading, std::regex("\nMONOTONIC_USEC=[1-9][0-9]*(\n|$)")));
  daemon.wait_for_notification("READY=1");
  CHECK(group_of(client, "default")["limit"] == 7);
  CHECK(daemon.logs("reloaded, changed: groups.default.limit"));

  configure(daemon, "[groups.default]\nlimit = 0\n[log]\nlevel = 9\n");
  daemon.signal(SIGHUP);
  daemon.wait_for_notification("RELOADING=1");
  CHECK(daemon.wait_for_notification("READY=1").find("the former one in force") != std::string::npos);
  CHECK(daemon.logs("corund.toml:4: groups.default.limit: "));
  CHECK(daemon.logs("corund.toml:6: log.level: "));
  CHECK(group_of(client, "default")["limit"] == 7);
  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == tests::exited(0));
}

TEST_CASE("jobs that wait start when a reload makes room, and an administrator's limit stays") {
  Daemon daemon({.config = "[groups.default]\nlimit = 1\n"});
  SocketClient client(daemon);
  client.submit("sleep", {{"seconds", 3600}});
  const std::string second = client.submit("sleep", {{"seconds", 3600}});
  const std::string other = client.submit("echo", Json::object(), {{"group", "made"}, {"delay", 3600}});
  client.ask("io.corund.Daemon.SetGroup", {{"name", "fixed"}, {"limit", 3}});
  CHECK(client.show(second)["state"] == "queued");
  configure(daemon, "[groups.default]\nlimit = 2\n[groups.fixed]\nlimit = 9\n");
  reload(client);
  CHECK(client.show(second)["state"] == "running");
  CHECK(group_of(client, "made")["limit"] == 2);
  CHECK(group_of(client, "fixed")["limit"] == 3);
}

TEST_CASE("commands that start after a reload follow the new settings, and those that run go on") {
  Daemon daemon;
  SocketClient client(daemon);
  SocketClient admin(daemon);
  const std::string go_on = daemon.directory() / "go-on";
  client.call("io.corund.Jobs.Run",
              {{"kind", "exec"}, {"args", {{"shell", "until test -e " + go_on + "; do sleep 0.01; done; echo before"}}}});
  REQUIRE(tests::eventually([&] { return group_of(admin, "exec")["running"] == 1; }));
  const std::string shell = daemon.directory() / "shell";
  tests::write_file(shell, "#!/bin/sh\necho my shell\n");
  std::filesystem::permissions(shell, std::filesystem::perms::owner_all);
  configure(daemon, "[exec]\nshell = \"" + shell + "\"\n");
  CHECK(reload(admin)["parameters"]["changed"] == Json::array({"exec.shell"}));
  CHECK(admin.run("exec", {{"shell", "true"}})["parameters"]["result"]["stdoutTail"] == "my shell\n");
  tests::write_file(go_on, "");
  CHECK(client.reply()["parameters"]["result"]["stdoutTail"] == "before\n");
}

TEST_CASE("the log level can be set, and only its own reload sets it back") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(error_of(client.ask("io.corund.Daemon.SetLogLevel", {{"level", 8}})) == "InvalidParameter");
  CHECK(error_of(client.ask("io.corund.Daemon.SetLogLevel")) == "InvalidParameter");
  CHECK(error_of(client.ask("io.corund.Daemon.SetLogLevel", {{"level", 3}})) == "");
  client.wait(client.submit("echo", Json::object(), {{"labels", {{"which", "silent"}}}}));
  configure(daemon, "[stop]\ngrace = 1\n");
  reload(client);
  client.wait(client.submit("echo"));
  CHECK(error_of(client.ask("io.corund.Daemon.SetLogLevel", {{"level", 6}})) == "");
  client.wait(client.submit("sleep", {{"seconds", 0}}));
  CHECK(daemon.logs("sleep succeeded"));
  CHECK(daemon.log().find("echo submitted") == std::string::npos);
}

TEST_CASE("the metrics are OpenMetrics and count what there is") {
  Daemon daemon;
  SocketClient client(daemon);
  client.submit("sleep", {{"seconds", 3600}});
  client.submit("echo", Json::object(), {{"delay", 3600}, {"group", "a \"b\" \\ \n c"}});
  client.run("echo");
  client.run("probe.throw");
  const Exposition seen = metrics(client);
  CHECK(seen.types.at("corund_jobs") == "gauge");
  CHECK(seen.types.at("corund_jobs_ended") == "counter");
  CHECK(seen.value("corund_jobs", "state=\"running\"") == 1);
  CHECK(seen.value("corund_jobs", "state=\"delayed\"") == 1);
  CHECK(seen.value("corund_jobs_ended_total", "state=\"succeeded\"") == 1);
  CHECK(seen.value("corund_jobs_ended_total", "state=\"failed\"") == 1);
  CHECK(seen.value("corund_group_running", "group=\"default\"") == 1);
  CHECK(seen.value("corund_group_queued", R"(group="a \"b\" \\ \n c")") == 0);
  CHECK(seen.value("corund_sessions") == 1);
  CHECK(seen.value("corund_store_bytes") > 0);
  CHECK(seen.value("corund_loop_steps_total") > 0);
  CHECK(seen.value("corund_journal_dropped_total") == 0);
  const auto started = client.ask("io.corund.Daemon.Status")["parameters"]["startedUSec"].get<double>();
  CHECK(std::fabs(seen.value("corund_start_time_seconds") - started / 1e6) < 0.001);
  CHECK(metrics(client).value("corund_loop_steps_total") >= seen.value("corund_loop_steps_total"));
}

TEST_CASE("a subscriber hears of each change once, in order, from its call on") {
  Daemon daemon;
  SocketClient client(daemon);
  client.run("echo");  // before it
  SocketClient subscriber(daemon);
  CHECK(error_of(subscriber.ask("io.corund.Daemon.Subscribe")) == "ExpectedMore");
  subscriber.call("io.corund.Daemon.Subscribe", Json::object(), {{"more", true}});
  // On the same connection, so after it.
  subscriber.call("io.corund.Jobs.Submit", {{"kind", "echo"}}, {{"oneway", true}});
  const Json queued = subscriber.reply();
  CHECK(queued["continues"] == true);
  CHECK(queued["parameters"]["state"] == "queued");
  const std::string first = queued["parameters"]["id"];
  auto next = [&] {
    const Json change = subscriber.reply()["parameters"];
    CHECK(change["timestampUSec"].get<std::int64_t>() > 0);
    return change;
  };
  for (const char* state : {"running", "succeeded"}) {
    const Json change = next();
    CHECK(change["id"] == first);
    CHECK(change["kind"] == "echo");
    CHECK(change["group"] == "default");
    CHECK(change["state"] == state);
  }
  const std::string later = client.submit("sleep", {{"seconds", 0.01}}, {{"delay", 0.05}, {"group", "mine"}});
  for (const char* state : {"queued", "delayed", "queued", "running", "succeeded"}) {
    const Json change = next();
    CHECK(change["id"] == later);
    CHECK(change["state"] == state);
    CHECK(change["group"] == "mine");
  }
  const std::string failing = client.submit("probe.throw");
  for (const char* state : {"queued", "running", "failed"}) CHECK(next()["state"] == state);
  // At the daemon's end its jobs' ends are told, and then that there is no more.
  client.submit("sleep", {{"seconds", 3600}}, {{"ack", "memory"}});
  for (const char* state : {"queued", "running"}) CHECK(next()["state"] == state);
  configure(daemon, "[stop]\ngrace = 0\n");
  reload(client);
  daemon.signal(SIGTERM);
  CHECK(next()["state"] == "cancelled");
  const Json last = subscriber.reply();
  CHECK(error_of(last) == "Draining");
  CHECK(daemon.wait() == tests::exited(0));
}

TEST_CASE("a drain that waits for a paused group ends when that is resumed") {
  Daemon daemon;
  SocketClient client(daemon), drainer(daemon);
  client.ask("io.corund.Daemon.SetGroup", {{"name", "mine"}, {"limit", 1}});
  CHECK(error_of(client.ask("io.corund.Daemon.Pause", {{"group", "mine"}})) == "");
  const std::string id = client.submit("echo", {}, {{"group", "mine"}, {"ack", "memory"}});
  drainer.call("io.corund.Daemon.Drain");
  REQUIRE(tests::eventually([&] { return client.ask("io.corund.Daemon.Status")["parameters"]["state"] == "draining"; }));
  CHECK(client.show(id)["state"] == "queued");
  CHECK(error_of(client.ask("io.corund.Daemon.Resume", {{"group", "mine"}})) == "");
  CHECK(error_of(drainer.reply()) == "");
  CHECK(client.show(id)["state"] == "succeeded");
  CHECK(error_of(client.ask("io.corund.Daemon.Resume", {{"group", "mine"}})) == "Draining");  // nothing is left for it
}

TEST_CASE("a subscriber that does not read is told so and costs no memory") {
  Daemon daemon({.config = "[limits]\nunread_reply_bytes = \"64KiB\"\n"});
  SocketClient slow(daemon);
  slow.call("io.corund.Daemon.Subscribe", Json::object(), {{"more", true}});
  SocketClient client(daemon);
  Json reply;
  std::size_t jobs = 0;
  const std::size_t before = daemon.rss_kib();
  for (int batch = 0; batch < 30; ++batch) {
    for (int i = 0; i < 500; ++i) client.call("io.corund.Jobs.Run", {{"kind", "echo"}});
    for (int i = 0; i < 500; ++i) jobs += error_of(client.reply()) == "";
  }
  CHECK(jobs == 15000);
  CHECK(daemon.rss_kib() < before + 64 * 1024);
  std::size_t told = 0;
  for (reply = slow.reply(); error_of(reply) == ""; reply = slow.reply()) ++told;
  CHECK(error_of(reply) == "LimitReached");
  CHECK(reply["parameters"]["limit"] == "limits.unread_changes");
  CHECK(told < 3 * 15000);
  CHECK(error_of(slow.ask("io.corund.Daemon.Status")) == "");
}
