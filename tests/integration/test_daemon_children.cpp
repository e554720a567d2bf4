// SPDX-License-Identifier: MIT
// Child jobs in the real daemon: whose limit they count in, what force does to their commands, whose they are for the journal.
#include <array>
#include <csignal>
#include <cstdio>
#include <sstream>

#include "integration/daemon.hpp"
#include "integration/own_journal.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using namespace tests;

namespace {

Json group_of(SocketClient& client, const std::string& name) {
  const Json status = client.ask("io.corund.Daemon.Status")["parameters"];
  for (const Json& group : status["groups"])
    if (group["name"] == name) return group;
  return {};
}

std::vector<Json> jobs_of(SocketClient& client, const std::string& kind, const std::string& state) {
  std::vector<Json> jobs;
  for (const Json& reply : client.ask_more("io.corund.Jobs.List", {{"kinds", Json::array({kind})}, {"states", Json::array({state})}}))
    if (reply["parameters"].contains("job")) jobs.push_back(reply["parameters"]["job"]);
  return jobs;
}

Json child_command(const std::string& shell) { return {{"kind", "exec"}, {"args", {{"shell", shell}}}}; }

// The entries of the journal that match, once there are so many.
std::vector<Json> entries(const std::string& match, std::size_t count) {
  std::vector<Json> found;
  CHECK(eventually([&] {
    found.clear();
    FILE* pipe = ::popen(("journalctl --no-pager --quiet -o json " + match).c_str(), "r");
    if (!pipe) return false;
    std::string text;
    std::array<char, 4096> part;
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), got);
    ::pclose(pipe);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) found.push_back(Json::parse(line));
    return found.size() >= count;
  }));
  return found;
}

}  // namespace

TEST_CASE("commands that are children count in the limit of commands, and wait for room there") {
  Daemon daemon({.config = "[groups.exec]\nlimit = 1\n"});
  SocketClient client(daemon);
  std::vector<std::string> parents;
  for (int i = 0; i < 3; ++i) parents.push_back(client.submit("probe.child", child_command("exec sleep 1000")));
  CHECK(eventually([&] { return group_of(client, "exec")["queued"] == 2; }));
  CHECK(group_of(client, "exec")["running"] == 1);
  CHECK(group_of(client, "default")["running"] == 3);
  CHECK(daemon.children().size() == 1);
  const std::vector<Json> waiting = jobs_of(client, "exec", "queued");
  REQUIRE(waiting.size() == 2);
  CHECK(waiting[0]["waitingFor"] == "room in group exec");
  CHECK(waiting[0]["group"] == "exec");
  // One that waits goes with its parent; the other's turn comes when the first one ends.
  CHECK(client.ask("io.corund.Jobs.Cancel", {{"id", parents[1]}})["parameters"]["outcome"] == "unwound");
  CHECK(client.show(waiting[0]["id"])["state"] == "cancelled");
  CHECK(client.ask("io.corund.Jobs.Cancel", {{"id", parents[0]}})["parameters"]["outcome"] == "unwound");
  CHECK(eventually([&] { return client.show(waiting[1]["id"])["state"] == "running"; }));
  CHECK(group_of(client, "exec")["running"] == 1);
  CHECK(group_of(client, "exec")["queued"] == 0);
  CHECK(client.ask("io.corund.Jobs.Cancel", {{"id", parents[2]}})["parameters"]["outcome"] == "unwound");
  CHECK(group_of(client, "exec")["running"] == 0);
  CHECK(daemon.children().empty());
}

TEST_CASE("a stop gives a child that waits the time that its parent has") {
  Daemon daemon({.config = "[groups.exec]\nlimit = 1\n"});
  SocketClient client(daemon);
  const std::string gate = daemon.directory() / "gate", done = daemon.directory() / "done";
  REQUIRE(std::system(("mkfifo " + gate).c_str()) == 0);
  client.submit("exec", {{"shell", "read line <" + gate}});
  client.submit("probe.child", child_command("echo ran >" + done));
  CHECK(eventually([&] { return group_of(client, "exec")["queued"] == 1; }));
  daemon.signal(SIGTERM);
  CHECK(daemon.logs("stopping"));
  write_file(gate, "go\n");
  CHECK(daemon.wait() == exited(0));
  CHECK(read_file(done) == "ran\n");
}

TEST_CASE("force kills the command of a child, also as the first request") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string ready = daemon.directory() / "ready";
  const std::string parent =
      client.submit("probe.child", child_command("trap '' TERM; echo >" + ready + "; while :; do sleep 1; done"), {{"grace", 3600}});
  CHECK(eventually([&] { return !read_file(ready).empty(); }));
  const Json cancelled = client.ask("io.corund.Jobs.Cancel", {{"id", parent}, {"force", true}})["parameters"];
  CHECK(cancelled["outcome"] == "unwound");
  CHECK(daemon.children().empty());
  CHECK(jobs_of(client, "exec", "cancelled").size() == 1);
}

TEST_CASE("the journal says whose child a job is") {
  OwnJournal journal;
  if (!journal.why_not().empty()) CORUND_SKIP(journal.why_not());
  Daemon daemon({.config = "[log]\ntarget = \"journal\"\n"});
  SocketClient client(daemon);
  const std::string parent = client.submit("probe.child", child_command("echo out"), {{"labels", {{"from", "a test"}}}});
  CHECK(client.wait(parent)["state"] == "succeeded");
  const std::vector<Json> told = entries("CORUND_PARENT_ID=" + parent, 4);
  REQUIRE(told.size() == 4);
  CHECK(told[0]["MESSAGE"] == "exec submitted");
  CHECK(told[1]["MESSAGE"] == "exec started");
  CHECK(told[2]["MESSAGE"] == "out");
  CHECK(told[3]["MESSAGE"] == "exec succeeded");
  CHECK(told[3]["CORUND_LABELS"] == "from=a test");
  for (const Json& entry : told) CHECK(entry["CORUND_JOB_ID"] != parent);
  for (const Json& entry : entries("CORUND_JOB_ID=" + parent, 3)) CHECK_FALSE(entry.contains("CORUND_PARENT_ID"));
}
