// SPDX-License-Identifier: MIT
// How it stops: by the first signal in order, by the second at once.
#include <signal.h>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::exited;
using tests::Json;
using tests::killed_by;
using tests::SocketClient;

namespace {

bool has_line(const std::string& path, const std::string& line) {
  return ("\n" + tests::read_file(path)).find("\n" + line + "\n") != std::string::npos;
}

bool can_exec(SocketClient& client) {
  const Json reply = client.ask("io.corund.Jobs.ListKinds");
  for (const auto& kind : reply["parameters"]["kinds"])
    if (kind["name"] == "exec") return true;
  return false;
}

}  // namespace

TEST_CASE("SIGINT without grace: each job sees its cancellation, cleans up, and all is over in order") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n"});
  SocketClient client(daemon), sleeper(daemon);
  const std::string trace = daemon.directory() / "trace", shell_trace = daemon.directory() / "shell";
  std::string group = client.submit("probe.group", {{"seconds", 3600}, {"count", 2}, {"trace", trace}});
  sleeper.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}});
  std::string thread = client.submit("probe.thread", {{"seconds", 0.5}, {"trace", trace}});
  REQUIRE(tests::eventually([&] { return has_line(trace, "thread begins"); }));
  const bool with_exec = can_exec(client);
  REQUIRE(with_exec);
  client.submit("exec", {{"shell", "trap 'echo cleaned > " + shell_trace + "; exit 0' TERM; echo ready > " + shell_trace +
                                       "; while :; do sleep 0.05; done"}});
  REQUIRE(tests::eventually([&] { return has_line(shell_trace, "ready"); }));

  daemon.signal(SIGINT);
  CHECK(error_of(sleeper.reply()) == "JobCancelled");  // the reply that was owed
  CHECK(sleeper.at_end());
  CHECK(daemon.wait() == exited(0));
  CHECK(has_line(trace, "child 0 cancelled"));
  CHECK(has_line(trace, "child 1 cancelled"));
  CHECK(has_line(trace, "group cancelled"));
  CHECK(has_line(trace, "thread ends"));  // it cannot be cancelled: it was waited for
  CHECK(has_line(shell_trace, "cleaned"));
  CHECK_FALSE(std::filesystem::exists(daemon.socket()));
}

TEST_CASE("SIGTERM lets running jobs finish within their grace, and refuses new ones") {
  Daemon daemon({.config = "[stop]\ngrace = 30\n"});
  SocketClient client(daemon), other(daemon);
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 0.5}}}});
  std::string waiting;
  REQUIRE(tests::eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 1; }));
  daemon.signal(SIGTERM);
  const std::string stopping = daemon.wait_for_notification("STOPPING=1");
  CHECK(stopping.find("EXTEND_TIMEOUT_USEC=") != std::string::npos);
  CHECK(error_of(other.run("echo")) == "Draining");
  CHECK(other.ask("io.corund.Daemon.Status")["parameters"]["state"] == "draining");
  CHECK(error_of(client.reply()) == "");
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("the manager hears what is waited for") {
  Daemon daemon({.config = "[stop]\ngrace = 30\n"});
  SocketClient client(daemon);
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 2}}}});
  client.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 2}}}});
  SocketClient other(daemon);
  REQUIRE(tests::eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 2; }));
  daemon.signal(SIGTERM);
  daemon.wait_for_notification("STOPPING=1");
  const std::string status = daemon.wait_for_notification("STATUS=waiting for");
  INFO(status);
  CHECK(status.find("2 jobs (sleep 0") != std::string::npos);
  CHECK(status.find("s left") != std::string::npos);
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("a job that outlives the stop's grace is cancelled, then escalated, then left") {
  Daemon daemon({.config = "[stop]\ngrace = 0.1\n[jobs]\ngrace = 0.1\n"});
  SocketClient client(daemon);
  const std::string trace = daemon.directory() / "trace";
  client.submit("probe.stubborn", {{"seconds", 3600}, {"count", 1}, {"trace", trace}});
  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == exited(0));
  CHECK(tests::read_file(trace) == "stubborn\nstubborn\n");
}

TEST_CASE("a thread function is waited for, and the manager told") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n"});
  SocketClient client(daemon);
  const std::string trace = daemon.directory() / "trace";
  client.submit("probe.thread", {{"seconds", 1.5}, {"trace", trace}});
  REQUIRE(tests::eventually([&] { return has_line(trace, "thread begins"); }));
  daemon.signal(SIGINT);
  daemon.wait_for_notification("STATUS=waiting for 1 thread function");
  CHECK(daemon.wait() == exited(0));
  CHECK(has_line(trace, "thread ends"));
}

TEST_CASE("a second signal ends it at once, by that signal") {
  Daemon daemon({.config = "[stop]\ngrace = 3600\n"});
  SocketClient client(daemon);
  client.submit("sleep", {{"seconds", 3600}});
  daemon.signal(SIGINT);
  daemon.wait_for_notification("STOPPING=1");
  CHECK(daemon.is_running());
  int second = GENERATE(SIGINT, SIGTERM);
  daemon.signal(second);
  CHECK(daemon.wait() == killed_by(second));
  CHECK_FALSE(std::filesystem::exists(daemon.socket()));
}

TEST_CASE("a second signal ends it also while a thread function runs") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n"});
  SocketClient client(daemon);
  const std::string trace = daemon.directory() / "trace";
  client.submit("probe.thread", {{"seconds", 3600}, {"trace", trace}});
  REQUIRE(tests::eventually([&] { return has_line(trace, "thread begins"); }));
  daemon.signal(SIGINT);
  daemon.wait_for_notification("STATUS=waiting for 1 thread function");
  daemon.signal(SIGINT);
  CHECK(daemon.wait() == killed_by(SIGINT));
}

TEST_CASE("two signals end it also with a job that spins") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n"});
  SocketClient client(daemon);
  const std::string trace = daemon.directory() / "trace";
  client.call("io.corund.Jobs.Submit", {{"kind", "probe.spin"}, {"args", {{"seconds", 3600}, {"trace", trace}}}});
  REQUIRE(tests::eventually([&] { return has_line(trace, "spin begins"); }));
  daemon.signal(SIGINT);
  CHECK(daemon.is_running());
  // Two signals of one kind that are both pending are one: the first must have been taken before the second is sent.
  REQUIRE(tests::eventually([&] {
    const std::string status = tests::read_file("/proc/" + std::to_string(daemon.pid()) + "/status");
    return status.find("ShdPnd:\t0000000000000000") != std::string::npos;
  }));
  daemon.signal(SIGINT);
  CHECK(daemon.wait() == killed_by(SIGINT));
}

TEST_CASE("commands end with a daemon that is ended by a second signal") {
  Daemon daemon({.config = "[stop]\ngrace = 3600\n"});
  SocketClient client(daemon);
  REQUIRE(can_exec(client));
  client.submit("exec", {{"argv", Json::array({"sleep", "3600"})}});
  REQUIRE(tests::eventually([&] { return daemon.children().size() == 1; }));
  const pid_t command = daemon.children().front();
  daemon.signal(SIGINT);
  daemon.wait_for_notification("STOPPING=1");
  daemon.signal(SIGINT);
  CHECK(daemon.wait() == killed_by(SIGINT));
  CHECK(tests::eventually([&] { return ::kill(command, 0) != 0; }));
}

TEST_CASE("a second signal also ends what commands have started themselves") {
  Daemon daemon({.config = "[stop]\ngrace = 3600\n"});
  SocketClient client(daemon);
  const std::string file = daemon.directory() / "pid";
  client.submit("exec", {{"shell", "sleep 3600 & echo $! > " + file + ".new; mv " + file + ".new " + file + "; wait"}});
  REQUIRE(tests::eventually([&] { return std::filesystem::exists(file); }));
  const pid_t grandchild = std::stoi(tests::read_file(file));
  daemon.signal(SIGINT);
  daemon.wait_for_notification("STOPPING=1");
  daemon.signal(SIGINT);
  CHECK(daemon.wait() == killed_by(SIGINT));
  CHECK(tests::eventually([&] { return ::kill(grandchild, 0) != 0; }));
}

TEST_CASE("Drain finishes what runs and what would be lost, takes nothing new, and answers when idle") {
  Daemon daemon({.config = "[groups.one]\nlimit = 1\n"});
  SocketClient client(daemon), other(daemon);
  std::string first = client.submit("sleep", {{"seconds", 0.2}}, {{"group", "one"}});
  std::string queued = client.submit("sleep", {{"seconds", 0}}, {{"group", "one"}, {"ack", "memory"}});
  std::string durable = client.submit("sleep", {{"seconds", 0}}, {{"group", "one"}});
  client.call("io.corund.Daemon.Drain");
  REQUIRE(tests::eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["state"] == "draining"; }));
  CHECK(error_of(other.run("echo")) == "Draining");
  CHECK(error_of(client.reply()) == "");
  CHECK(other.show(first)["state"] == "succeeded");
  CHECK(other.show(queued)["state"] == "succeeded");
  CHECK(other.show(durable)["state"] == "queued");
  CHECK(other.show(durable)["waitingFor"] == "the next start of the daemon");
  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == exited(0));
}

TEST_CASE("jobs that only wait are cancelled at the stop, and their callers told") {
  Daemon daemon({.config = "[stop]\ngrace = 0\n[groups.one]\nlimit = 1\n"});
  SocketClient client(daemon);
  client.submit("sleep", {{"seconds", 3600}}, {{"group", "one"}});
  client.call("io.corund.Jobs.Run", {{"kind", "echo"}, {"group", "one"}});
  SocketClient other(daemon);
  REQUIRE(tests::eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["queued"] == 1; }));
  daemon.signal(SIGTERM);
  Json reply = client.reply();
  CHECK(error_of(reply) == "JobCancelled");
  CHECK(reply["parameters"]["reason"] == "the daemon stops");
  CHECK(daemon.wait() == exited(0));
}
