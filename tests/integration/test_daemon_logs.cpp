// SPDX-License-Identifier: MIT
// io.corund.Jobs.Logs: from the job's record where the daemon's log does not go to the journal, and from a real journald's files.
#include <signal.h>

#include <functional>
#include <string>
#include <vector>

#include "client/corunctl_process.hpp"
#include "integration/daemon.hpp"
#include "integration/own_journal.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using namespace tests;

namespace {

const std::string to_journal = "[log]\ntarget = \"journal\"\n";

// "stream: text" of each entry. Fails the test where the last reply is not the empty one, or an entry lacks something.
std::vector<std::string> lines_of(const std::vector<Json>& replies) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    INFO(replies[i].dump());
    const bool is_last = i + 1 == replies.size();
    CHECK(replies[i].value("continues", false) == !is_last);
    const Json entry = replies[i]["parameters"];
    if (is_last) {
      CHECK(entry == Json::object());
      continue;
    }
    CHECK(entry["level"].is_number_integer());
    lines.push_back(entry["stream"].get<std::string>() + ": " + entry["text"].get<std::string>());
  }
  return lines;
}

std::vector<std::string> logs(SocketClient& client, const std::string& id, Json options = Json::object()) {
  options["id"] = id;
  return lines_of(client.ask_more("io.corund.Jobs.Logs", options));
}

// The replies of a call made before, up to the entry with that text.
void read_upto(SocketClient& client, const std::string& text) {
  for (;;) {
    const Json reply = client.reply();
    INFO("waiting for " << text << ", got " << reply.dump());
    REQUIRE(reply.value("continues", false));
    if (reply["parameters"]["text"] == text) return;
  }
}

std::vector<Json> rest(SocketClient& client) {
  std::vector<Json> replies;
  do replies.push_back(client.reply());
  while (replies.back().value("continues", false));
  return replies;
}

Json shell(const std::string& text) { return {{"shell", text}}; }

// A command that says "on" and ends when the test says so.
struct Held {
  TempDir directory;
  std::string id;
  Held(SocketClient& client, const std::string& then) {
    const std::string gate = directory / "gate";
    REQUIRE(std::system(("mkfifo " + gate).c_str()) == 0);
    id = client.submit("exec", shell("echo on; read line <" + gate + "; " + then));
  }
  void release() { write_file(directory / "gate", "go\n"); }
};

// Whether two followers of a command, one from its beginning and one from its latest line on, get each line once, whatever happens meanwhile.
bool follow_to_the_end(Daemon& daemon, const std::function<void(const std::string&)>& meanwhile) {
  SocketClient client(daemon), follower(daemon), late(daemon);
  Held held(client, "echo off");
  follower.call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}}, {{"more", true}});
  read_upto(follower, "on");
  late.call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}, {"lines", 1}}, {{"more", true}});
  read_upto(late, "on");
  meanwhile(held.id);
  held.release();
  const std::vector<std::string> left = {"stdout: off", "daemon: exec succeeded"};
  return lines_of(rest(follower)) == left && lines_of(rest(late)) == left;
}

const std::vector<std::string> short_life = {"daemon: exec submitted", "daemon: exec started", "stdout: out", "stderr: err", "daemon: exec succeeded"};
const std::string short_command = "echo out; sleep 0.05; echo err >&2";

#define NEEDS(journal) \
  if (!(journal).why_not().empty()) CORUND_SKIP((journal).why_not())

}  // namespace

TEST_CASE("logs of a job that no journal has are its life and its output, in order") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string id = client.submit("exec", shell(short_command));
  client.wait(id);
  CHECK(logs(client, id) == short_life);
  CHECK(logs(client, id, {{"follow", true}, {"lines", nullptr}}) == short_life);
  CHECK(logs(client, id, {{"lines", 2}}) == std::vector<std::string>{short_life[3], short_life[4]});
  CHECK(logs(client, id, {{"lines", 0}}).empty());
  CHECK(logs(client, id, {{"lines", 1000}}) == short_life);
  const std::vector<Json> replies = client.ask_more("io.corund.Jobs.Logs", {{"id", id}});
  std::int64_t before = 0;
  for (std::size_t i = 0; i + 1 < replies.size(); ++i) {
    CHECK(replies[i]["parameters"]["timestampUSec"].get<std::int64_t>() >= before);
    before = replies[i]["parameters"]["timestampUSec"];
  }
  // What was said is there as well, what is no text is not; failed attempts and the failure have their reasons.
  const std::string talking = client.submit("probe.talk", {{"count", 1}});
  client.wait(talking);
  CHECK(logs(client, talking) == std::vector<std::string>{"daemon: probe.talk submitted", "daemon: probe.talk started", "daemon: said 0",
                                                          "stdout: line 0", "daemon: probe.talk succeeded"});
  const std::string failing = client.submit("exec", shell("exit 3"), {{"retry", {{"max", 2}, {"delay", 0.01}}}});
  client.wait(failing);
  const auto seen = logs(client, failing);
  REQUIRE(seen.size() == 4);
  CHECK(seen[2].starts_with("daemon: exec attempt 1 failed: "));
  CHECK(seen[3].starts_with("daemon: exec failed: "));
}

TEST_CASE("logs that follow a job go on until it ends, from its record") {
  Daemon daemon;
  SocketClient client(daemon);
  CHECK(follow_to_the_end(daemon, [&](const std::string& id) {
    CHECK(logs(client, id) == std::vector<std::string>{"daemon: exec submitted", "daemon: exec started", "stdout: on"});
  }));
}

TEST_CASE("of a job that a former daemon ran, the tails of its output are left") {
  TempDir directory;
  const DaemonOptions options{.arguments = {"--state", directory / "state"}};
  std::string id;
  {
    Daemon daemon(options);
    SocketClient client(daemon);
    id = client.submit("exec", shell("echo out; echo more; echo err >&2; exit 3"));
    client.wait(id);
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == exited(0));
  }
  Daemon daemon(options);
  SocketClient client(daemon);
  const auto seen = logs(client, id);
  REQUIRE(seen.size() == 6);
  CHECK(std::vector<std::string>(seen.begin(), seen.begin() + 5) ==
        std::vector<std::string>{"daemon: exec submitted", "daemon: exec started", "stdout: out", "stdout: more", "stderr: err"});
  CHECK(seen[5].starts_with("daemon: exec failed: "));
  CHECK(logs(client, id, {{"follow", true}, {"lines", 1}}) == std::vector<std::string>{seen[5]});
}

TEST_CASE("no more callers than configured are answered at one time") {
  Daemon daemon({.config = "[limits]\nlog_readers = 1\n"});
  SocketClient client(daemon), follower(daemon);
  Held held(client, "true");
  follower.call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}}, {{"more", true}});
  read_upto(follower, "on");
  const Json refused = client.ask_more("io.corund.Jobs.Logs", {{"id", held.id}}).back();
  CHECK(error_of(refused) == "LimitReached");
  CHECK(refused["parameters"]["limit"] == "limits.log_readers");
  CHECK(refused["parameters"]["value"] == 1);
  follower.hang_up();
  CHECK(eventually([&] { return error_of(client.ask_more("io.corund.Jobs.Logs", {{"id", held.id}}).back()) == ""; }));
  held.release();
}

TEST_CASE("corunctl logs shows the entries, and follows") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string id = client.submit("exec", shell("printf 'a\\033b\\n'"));
  client.wait(id);
  const Ran ran = run_corunctl(daemon, {"logs", id, "-n", "2"});
  CHECK(ran.code == 0);
  INFO(ran.out);
  CHECK(ran.out.find("  stdout: a^[b\n") == 19);  // after the time
  CHECK(ran.out.find("  daemon: exec succeeded\n") != std::string::npos);
  Held held(client, "echo off");
  Corunctl following(daemon.socket(), {"logs", "-f", held.id});
  std::string seen;
  while (seen.find("stdout: on\n") == std::string::npos) seen += following.read_some();
  held.release();
  const Ran followed = following.wait();
  CHECK(followed.code == 0);
  CHECK(followed.out.find("stdout: off\n") != std::string::npos);
}

TEST_CASE("wrong parameters of Logs are named, and so is a job that is not there") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string id = client.submit("echo");
  auto refused = [&](const Json& parameters) { return client.ask_more("io.corund.Jobs.Logs", parameters).back(); };
  CHECK(refused(Json::object())["parameters"]["parameter"] == "id");
  CHECK(refused({{"id", id}, {"lines", -1}})["parameters"]["parameter"] == "lines");
  CHECK(refused({{"id", id}, {"follow", 1}})["parameters"]["parameter"] == "follow");
  CHECK(refused({{"id", id}, {"since", 1}})["parameters"]["parameter"] == "since");
  CHECK(error_of(refused({{"id", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}})) == "JobNotFound");
  CHECK(error_of(client.ask("io.corund.Jobs.Logs", {{"id", id}})) == "ExpectedMore");
}

TEST_CASE("logs are read from the journal at once after the end, and are complete") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  SocketClient client(daemon);
  for (int i = 0; i < 10; ++i) {
    const std::string id = client.submit("exec", shell("echo out; sleep 0.01; echo err >&2"));
    client.wait(id);
    CHECK(logs(client, id) == short_life);
    CHECK(logs(client, id, {{"lines", 2}}) == std::vector<std::string>{short_life[3], short_life[4]});
    CHECK(logs(client, id, {{"lines", 0}}).empty());
    CHECK(logs(client, id, {{"lines", 9999999}}) == short_life);
    CHECK(logs(client, id, {{"follow", true}, {"lines", 1}}) == std::vector<std::string>{short_life[4]});
  }
  // It is the journal that was read: the record does not number a job's starts.
  const std::string twice = client.submit("exec", shell("exit 3"), {{"retry", {{"max", 2}, {"delay", 0.01}}}});
  client.wait(twice);
  const auto seen = logs(client, twice);
  REQUIRE(seen.size() == 5);
  CHECK(seen[3] == "daemon: exec started");
}

TEST_CASE("bytes of output that are no text come out of the journal as U+FFFD, and a long line whole") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal + "[exec]\nline_bytes = \"512KiB\"\n"});
  SocketClient client(daemon);
  const std::string id = client.submit("exec", shell("printf 'a\\000b\\377c\\n'; head -c 300000 /dev/zero | tr '\\0' x"));
  client.wait(id);
  const auto seen = logs(client, id);
  REQUIRE(seen.size() == 5);
  CHECK(seen[2] == "stdout: a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "c");
  CHECK(seen[3] == "stdout: " + std::string(300000, 'x'));
}

TEST_CASE("a follower of the journal misses nothing and hears nothing twice, also when journald is restarted under it") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  CHECK(follow_to_the_end(daemon, [](const std::string&) {}));
  CHECK(follow_to_the_end(daemon, [&](const std::string&) { journal.restart(); }));
}

TEST_CASE("a follower that reads slowly gets every line that the journal has") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal + "[exec]\noutput_burst = 100000\n[limits]\nunread_reply_bytes = \"16KiB\"\n"});
  SocketClient client(daemon), follower(daemon);
  Held held(client, "seq 1 5000; sleep 0.2; seq 5001 6000");
  follower.call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}}, {{"more", true}});
  held.release();
  client.wait(held.id);
  std::vector<std::string> expected = {"daemon: exec submitted", "daemon: exec started", "stdout: on"};
  for (int i = 1; i <= 6000; ++i) expected.push_back("stdout: " + std::to_string(i));
  expected.push_back("daemon: exec succeeded");
  CHECK(lines_of(rest(follower)) == expected);
  CHECK(logs(client, held.id) == expected);
}

TEST_CASE("followers of the journal that hang up leave no threads, and a daemon stops with some that follow") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  SocketClient client(daemon);
  Held held(client, "true");
  client.ask_more("io.corund.Jobs.Logs", {{"id", held.id}});
  const std::size_t threads = daemon.threads();
  auto follow = [&] {
    std::vector<SocketClient> followers;
    for (int i = 0; i < 10; ++i) {
      followers.emplace_back(daemon);
      followers.back().call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}}, {{"more", true}});
      read_upto(followers.back(), "on");
    }
    CHECK(daemon.threads() == threads + 10);
    return followers;
  };
  follow();
  CHECK(eventually([&] { return daemon.threads() == threads; }));
  auto followers = follow();
  daemon.signal(SIGTERM);
  held.release();
  CHECK(daemon.wait() == exited(0));
  for (auto& follower : followers) CHECK(lines_of(rest(follower)) == std::vector<std::string>{"daemon: exec succeeded"});
}

TEST_CASE("entries that others wrote to the journal under a job's id are none of its log") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  SocketClient client(daemon);
  Held held(client, "echo off");
  CHECK(eventually([&] { return logs(client, held.id).size() == 3; }));
  OwnJournal::send_as(65534, "MESSAGE=forged\nPRIORITY=3\nCORUND_STREAM=stdout\nCORUND_JOB_ID=" + held.id + "\n");
  OwnJournal::send_as(0, "MESSAGE=by the same user\nCORUND_STREAM=odd\nPRIORITY=99\nCORUND_JOB_ID=" + held.id + "\n");
  held.release();
  client.wait(held.id);
  CHECK(logs(client, held.id) == std::vector<std::string>{"daemon: exec submitted", "daemon: exec started", "stdout: on",
                                                          "daemon: by the same user", "stdout: off", "daemon: exec succeeded"});
}

TEST_CASE("where the journal stands still, a follow ends all the same, and soon after the job") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  SocketClient client(daemon), follower(daemon);
  Held held(client, "echo off");
  follower.call("io.corund.Jobs.Logs", {{"id", held.id}, {"follow", true}}, {{"more", true}});
  read_upto(follower, "on");
  journal.pause();
  held.release();
  client.wait(held.id);
  CHECK(lines_of(rest(follower)).empty());
  // A job that the journal has nothing of is told from its record.
  const std::string id = client.submit("exec", shell(short_command));
  client.wait(id);
  CHECK(logs(client, id) == short_life);
  journal.resume();
  CHECK(eventually([&] { return logs(client, held.id).size() == 5; }));
}

TEST_CASE("a job of which the journal has nothing is told from its record at once") {
  OwnJournal journal;
  NEEDS(journal);
  Daemon daemon({.config = to_journal});
  SocketClient client(daemon);
  // Attached coroutine jobs are told of when they end: nothing is waited for.
  SocketClient caller(daemon);
  caller.call("io.corund.Jobs.Run", {{"kind", "sleep"}, {"args", {{"seconds", 3600}}}}, {{"more", true}});
  const std::string id = caller.reply()["parameters"]["event"]["id"];
  CHECK(logs(client, id) == std::vector<std::string>{"daemon: sleep submitted", "daemon: sleep started"});
}
