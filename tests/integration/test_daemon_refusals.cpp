// SPDX-License-Identifier: MIT
// What is refused, and what is said of it: by the daemon by name, by corunctl in words.
#include <csignal>
#include <filesystem>

#include "client/corunctl_process.hpp"
#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::Json;
using tests::Ran;
using tests::run_corunctl;
using tests::SocketClient;

namespace {

bool contains(const std::string& text, const std::string& piece) {
  INFO(text);
  CHECK(text.find(piece) != text.npos);
  return text.find(piece) != text.npos;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

const Json limit(const std::string& key, std::int64_t value) { return {{"limit", key}, {"value", value}}; }

}  // namespace

TEST_CASE("every limit is refused by its key in the configuration and its value") {
  Daemon daemon({.config = "[limits]\nargs_bytes = 100\nframe_bytes = \"1KiB\"\njson_depth = 6\npartial_frame_timeout = \"100ms\"\ngroups = 3\n"});
  const Json long_args = {{"text", std::string(200, 'x')}};
  SECTION("args") {
    SocketClient client(daemon);
    CHECK(client.run("echo", long_args)["parameters"] == limit("limits.args_bytes", 100));
    const Json reply = client.ask("io.corund.Jobs.SubmitMany", {{"jobs", {{{"kind", "echo"}}, {{"kind", "echo"}, {"args", long_args}}}}});
    CHECK(error_of(reply) == "LimitReached");
    CHECK(reply["parameters"] == limit("limits.args_bytes", 100));
    CHECK(client.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["queued"] == 0);
  }
  SECTION("a frame's length, depth and time") {
    const std::pair<std::string, std::string> frames[] = {
        {"{\"method\":\"" + std::string(2000, 'x'), "limits.frame_bytes is 1024"},
        {R"({"method":"x","parameters":{"a":[[[[[1]]]]]}})", "limits.json_depth is 6"},
        {"{\"method\":", "limits.partial_frame_timeout is 0.1 seconds"},
    };
    for (const auto& [bytes, words] : frames) {
      SocketClient client(daemon);
      client.send(bytes);
      const Json reply = client.reply();
      CHECK(error_of(reply) == "BadFrame");
      contains(reply["parameters"]["reason"], words);
      CHECK(client.at_end());
    }
  }
  SECTION("groups") {
    SocketClient client(daemon);
    const Json delayed = {{"group", "one"}, {"delay", 3600}};
    const std::string id = client.submit("echo", Json::object(), delayed);
    Json reply = client.run("echo", Json::object(), {{"group", "two"}});
    CHECK(error_of(reply) == "LimitReached");
    CHECK(reply["parameters"] == limit("limits.groups", 3));
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "two"}, {"limit", 1}})) == "LimitReached");
    // It is nobody's for ever: where the last job of a group is over, there is room for another.
    client.ask("io.corund.Jobs.Cancel", {{"id", id}});
    for (int i = 0; i < 50; ++i) CHECK(error_of(client.run("echo", Json::object(), {{"group", "g" + std::to_string(i)}})) == "");
  }
}

TEST_CASE("a call that is not completed costs nobody else's reply, nor an earlier one") {
  Daemon daemon({.config = "[limits]\npartial_frame_timeout = \"100ms\"\n"});
  SocketClient client(daemon);
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 0.3}}}});
  client.send("{\"method\":");
  CHECK(error_of(client.reply()) == "");
  CHECK(error_of(client.reply()) == "BadFrame");
  CHECK(client.at_end());
}

TEST_CASE("an administrator's word on a group survives the daemon from the answer on, and can be taken back") {
  tests::TempDir directory;
  const tests::DaemonOptions options = {.config = "[groups.one]\nlimit = 7\n", .arguments = {"--state", directory / "state"}};
  auto group = [](SocketClient& client, const std::string& name) {
    const Json status = client.ask("io.corund.Daemon.Status")["parameters"];
    for (const Json& each : status["groups"])
      if (each["name"] == name) return each;
    return Json();
  };
  {
    Daemon daemon(options);
    SocketClient client(daemon);
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "one"}, {"limit", 2}})) == "");
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "made"}, {"limit", 3}})) == "");
    CHECK(error_of(client.ask("io.corund.Daemon.Pause", {{"group", "one"}})) == "");
    daemon.signal(SIGKILL);
    daemon.wait();
  }
  {
    Daemon daemon(options);
    SocketClient client(daemon);
    CHECK(group(client, "one")["limit"] == 2);
    CHECK(group(client, "one")["paused"] == true);
    CHECK(group(client, "made")["limit"] == 3);
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "one"}, {"limit", -1}})) == "");
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "made"}, {"limit", -1}})) == "");
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "never"}, {"limit", -1}})) == "");
    CHECK(error_of(client.ask("io.corund.Daemon.SetGroup", {{"name", "one"}, {"limit", -2}})) == "InvalidParameter");
    CHECK(error_of(client.ask("io.corund.Daemon.Resume", {{"group", "one"}})) == "");
    CHECK(group(client, "one")["limit"] == 7);
    daemon.signal(SIGKILL);
    daemon.wait();
  }
  Daemon daemon(options);
  SocketClient client(daemon);
  CHECK(group(client, "one")["limit"] == 7);
  CHECK(group(client, "one")["paused"] == false);
  CHECK(group(client, "made").is_null());
}

TEST_CASE("corunctl says what is wrong with a parameter by the call that it was in") {
  Daemon daemon({.config = "[limits]\nargs_bytes = 100\n", .arguments = {"--state", ":memory:"}});
  auto refused = [&](const std::vector<std::string>& words, const std::string& told) {
    Ran ran = run_corunctl(daemon, words);
    CHECK(ran.code == 125);
    contains(ran.err, told);
  };
  refused({"run", "exec", R"({"argv":["true"],"limits":{"memory":1000000}})"}, "Delegate=yes");
  refused({"submit", "--ack", "disk", "echo"}, "--ack memory");
  refused({"run", "echo", "text=" + std::string(200, 'x')}, "'limits.args_bytes' (100)");
  refused({"call", "io.corund.Daemon.SetLogLevel", "level=9"}, "from 0 to 7");
  refused({"run", "sleep", "seconds=no"}, "'corunctl kinds KIND'");
}

TEST_CASE("corunctl says why a job that is kept cannot come after one that is not") {
  Daemon daemon;
  const std::string first = first_line(run_corunctl(daemon, {"submit", "--ack", "memory", "sleep", "seconds=3600"}).out);
  Ran ran = run_corunctl(daemon, {"submit", "--after", first, "echo"});
  CHECK(ran.code == 125);
  contains(ran.err, "submit the one it comes after with --ack disk, or this one with --ack memory");
}

TEST_CASE("a drained daemon says that it does not come back by itself") {
  Daemon daemon;
  Ran drained = run_corunctl(daemon, {"drain"});
  CHECK(drained.code == 0);
  contains(drained.out, "until it is restarted");
  for (const std::string verb : {"resume", "submit"}) {
    Ran ran = run_corunctl(daemon, verb == "resume" ? std::vector<std::string>{verb} : std::vector<std::string>{verb, "echo"});
    CHECK(ran.code == 125);
    contains(ran.err, "systemctl restart corund");
  }
}

TEST_CASE("a job whose forerunner failed says so, and is a failure to run and to wait") {
  Daemon daemon;
  const std::string failing = first_line(run_corunctl(daemon, {"submit", "--delay", "200ms", "exec", "--", "false"}).out);
  const std::string next = first_line(run_corunctl(daemon, {"submit", "--after", failing, "echo"}).out);
  Ran run = run_corunctl(daemon, {"run", "--after", failing, "echo"});
  CHECK(run.code == 1);
  contains(run.err, failing);
  Ran waited = run_corunctl(daemon, {"wait", next});
  CHECK(waited.code == 1);
  contains(waited.out, "job " + failing + ", which it comes after, ended failed");
  contains(run_corunctl(daemon, {"list", "--state", "cancelled"}).out, "\tjob " + failing + ", which");
}

TEST_CASE("an attempt that the stop cancels is logged as that") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n"});
  const std::string id = first_line(run_corunctl(daemon, {"submit", "--attempts", "3", "sleep", "seconds=3600"}).out);
  SocketClient client(daemon);
  REQUIRE(tests::eventually([&] { return client.show(id)["state"] == "running"; }));
  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == tests::exited(0));
  contains(daemon.log(), "attempt 1 cancelled by the daemon's stop [");
}
