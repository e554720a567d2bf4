// SPDX-License-Identifier: MIT
// Commands that behave badly: output of every bad kind, trees that will not end, programs that cannot be started. The daemon stays prompt and
// small, and the tail of the output exact.
#include <algorithm>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "client/corunctl_process.hpp"
#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"
#include "support/cgroup.hpp"

using namespace tests;

namespace {

constexpr std::size_t tail_bytes = 64 * 1024;
// Most that anything here may take of the daemon, whatever is written. Sanitizers keep memory of their own.
constexpr std::size_t memory_kib_max = 96 * 1024;

Json shell(const std::string& text) { return {{"shell", text}}; }

std::string end_of(const std::string& text) { return text.size() <= tail_bytes ? text : text.substr(text.size() - tail_bytes); }

std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The others have their turns meanwhile: a loop that is held up for good answers none of these within the client's patience.
bool are_answered(SocketClient& client, int times = 15) {
  for (int i = 0; i < times; ++i)
    if (client.run("echo", {{"i", i}})["parameters"]["result"]["i"] != i) return false;
  return true;
}

bool is_gone(pid_t pid) {
  if (::kill(pid, 0) != 0) return true;
  return read_file("/proc/" + std::to_string(pid) + "/stat").find(") Z ") != std::string::npos;
}

// The pids that a test's commands have written down, once there are so many.
std::vector<pid_t> pids_in(const std::string& path, std::size_t count) {
  std::vector<pid_t> pids;
  REQUIRE(eventually([&] {
    pids.clear();
    std::istringstream text(read_file(path));
    for (pid_t pid; text >> pid;) pids.push_back(pid);
    return pids.size() == count;
  }));
  return pids;
}

// A leader, one of its group, one that left it and one that did so twice over; none takes a SIGTERM.
std::string stubborn_tree(const std::string& pids) {
  return "trap '' TERM; sleep 1001 & echo $! >>" + pids + "; setsid sh -c '(setsid sh -c \"echo \\$\\$ >>" + pids +
         "; exec sleep 1002\" &); echo $$ >>" + pids + "; exec sleep 1003' & echo $$ >>" + pids + "; while :; do sleep 0.05; done";
}

// This process and what it starts, in another cgroup for a while.
class InCgroup {
 public:
  explicit InCgroup(const ScratchCgroup& cgroup) {
    std::ifstream own("/proc/self/cgroup");
    for (std::string line; std::getline(own, line);)
      if (line.starts_with("0::")) before_ = cgroup.path().substr(0, cgroup.path().rfind('/')) + line.substr(3) + "/cgroup.procs";
    REQUIRE(cgroup.write("cgroup.procs", "0"));
  }
  ~InCgroup() {
    std::ofstream back(before_);
    back << "0" << std::flush;
  }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("output that is NUL, no UTF-8 or one line of 10 MiB is safe, and its tail exact") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string written = daemon.directory() / "written";
  const std::size_t before = daemon.rss_kib();
  for (const std::string command : {"head -c 3000000 /dev/zero", "head -c 3000000 /dev/urandom", "head -c 10485760 /dev/zero | tr '\\0' x",
                                    "head -c 3000000 /dev/urandom | base64", "printf 'no end\\r\\n\\r\\n\\nof line'"}) {
    INFO(command);
    Json reply = client.run("exec", shell(command + " | tee " + written));
    CHECK(error_of(reply) == "");
    const std::string told = reply["parameters"]["result"]["stdoutTail"], kept = client.show(reply["parameters"]["id"])["stdoutTail"];
    const std::string bytes = end_of(read_bytes(written));
    const bool is_text = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c > 0 && c < 127; });
    if (is_text) {
      CHECK((told == bytes));
      CHECK((kept == bytes));
    } else {
      CHECK(told.size() <= 3 * tail_bytes);  // U+FFFD takes three bytes
    }
    std::filesystem::remove(written);
  }
  CHECK(daemon.rss_kib() < before + memory_kib_max);
  CHECK(daemon.log().find(std::string(100, 'x')) != std::string::npos);
}

TEST_CASE("an endless output neither delays the others nor grows anything, and the log takes a part of it") {
  Daemon daemon({.config = "[exec]\noutput_rate = 50\noutput_burst = 100\n"});
  SocketClient client(daemon), watcher(daemon);
  const std::size_t before = daemon.rss_kib();
  std::vector<std::string> ids;
  for (const std::string command : {"exec yes", "exec cat /dev/zero", "yes '' ", "exec tr '\\0' '\\n' </dev/zero"})
    ids.push_back(client.submit("exec", shell(command), {{"group", "default"}, {"grace", 0.1}}));
  watcher.call("io.corund.Jobs.Watch", {{"id", ids[0]}}, {{"more", true}});  // and never reads
  REQUIRE(eventually([&] { return client.show(ids[3])["stdoutTail"].is_string() && client.show(ids[0])["stdoutTail"].is_string(); }));
  CHECK(are_answered(client));
  CHECK(daemon.logs("lines are left out here"));
  CHECK(daemon.rss_kib() < before + memory_kib_max);
  for (const auto& id : ids) CHECK(client.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"]["outcome"] == "unwound");
  const std::string tail = client.show(ids[0])["stdoutTail"];
  CHECK(tail.size() >= tail_bytes - 1);
  CHECK(tail.find_first_not_of("y\n") == std::string::npos);
  CHECK(tail.find("yy") == std::string::npos);
  CHECK(daemon.children().empty());
  // 50 lines a second and the bursts: a megabyte would be thousands.
  CHECK(std::filesystem::file_size(daemon.directory() / "log") < (32u << 20));
}

TEST_CASE("a cancellation by force kills a command that takes no SIGTERM, whether it is the first or comes with it") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string pids = daemon.directory() / "pids";
  const std::string id = client.submit("exec", shell("trap '' TERM; echo $$ >>" + pids + "; while :; do sleep 0.05; done"), {{"grace", 3600}});
  const pid_t pid = pids_in(pids, 1)[0];
  SECTION("as the first") {
    const Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}, {"force", true}})["parameters"];
    INFO(answer.dump());
    CHECK(answer["outcome"] == "unwound");
    CHECK(answer["escalated"].get<std::string>().find("force") != std::string::npos);
  }
  SECTION("at once after the first") {
    const std::string method = "io.corund.Jobs.Cancel";
    client.send(call_text(method, {{"id", id}}) + call_text(method, {{"id", id}, {"force", true}}));
    for (int i = 0; i < 2; ++i) CHECK(client.reply()["parameters"]["outcome"] == "unwound");
  }
  CHECK(is_gone(pid));
  CHECK(client.wait(id)["state"] == "cancelled");
}

TEST_CASE("a child's command is asked to end before it is killed, by its parent's time limit and by the stop") {
  Daemon daemon({.config = "[stop]\ngrace = 0.1\n"});
  SocketClient client(daemon);
  const std::string notes = daemon.directory() / "notes";
  const Json command = {{"kind", "exec"}, {"args", shell("trap 'echo asked >>" + notes + "; exit 0' TERM; echo ready >>" + notes + "; while :; do sleep 0.05; done")}};
  const auto notes_have = [&](const char* word) { return eventually([&] { return read_file(notes).find(word) != std::string::npos; }); };
  SECTION("its parent's time limit") {
    CHECK(error_of(client.run("probe.child", command, {{"timeout", 0.5}})) == "JobTimedOut");
  }
  SECTION("the stop") {
    client.submit("probe.child", command, {{"ack", "memory"}});
    REQUIRE(notes_have("ready"));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == exited(0));
  }
  CHECK(notes_have("asked"));
}

TEST_CASE("a grandchild that left and writes without end does not keep its job from ending") {
  Daemon daemon;
  SocketClient client(daemon);
  const std::string pids = daemon.directory() / "pids";
  Json reply = client.run("exec", shell("setsid sh -c 'echo $$ >" + pids + "; exec yes' & until [ -s " + pids + " ]; do sleep 0.01; done; echo over"));
  CHECK(error_of(reply) == "");
  CHECK(are_answered(client));
  ::kill(pids_in(pids, 1)[0], SIGKILL);
}

TEST_CASE("a log that stands still blocks nothing, touches no tail, and says afterwards what it missed") {
  Daemon daemon({.config = "[log]\nqueue_records = 200\n[exec]\noutput_rate = 1000000\noutput_burst = 1000000\n", .log_is_read = false});
  SocketClient client(daemon);
  const std::string written = daemon.directory() / "written";
  for (int i = 0; i < 3; ++i) {
    Json reply = client.run("exec", shell("seq 1 50000 | tee " + written));
    CHECK((reply["parameters"]["result"]["stdoutTail"] == end_of(read_bytes(written))));
    CHECK((client.show(reply["parameters"]["id"])["stdoutTail"] == end_of(read_bytes(written))));
  }
  CHECK(are_answered(client));
  CHECK(client.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["succeeded"].get<int>() >= 3);
  std::string log;
  CHECK(eventually([&] {
    log += daemon.read_log();
    return log.find("records were dropped") != std::string::npos;
  }));
}

TEST_CASE("a program that cannot be started ends as in a shell, and the text says which") {
  Daemon daemon;
  const std::string plain = daemon.directory() / "plain", garbage = daemon.directory() / "garbage";
  write_file(plain, "echo no\n");
  write_file(garbage, "\x7f" "ELF and nothing of it");
  ::chmod(plain.c_str(), 0644);
  ::chmod(garbage.c_str(), 0755);
  struct Case {
    std::vector<std::string> words;
    int code;
    std::string text;
  };
  const std::vector<Case> table = {{{"no-such-program-anywhere"}, 127, "no-such-program-anywhere"},
                                   {{"/nowhere/program"}, 127, "/nowhere/program"},
                                   {{plain}, 126, plain + ": exec: Permission denied"},
                                   {{garbage}, 126, garbage + ": exec: Exec format error"},
                                   {{"/tmp"}, 126, "/tmp: exec: Permission denied"}};
  for (const auto& each : table) {
    std::vector<std::string> words = {"exec", "-C", "/", "--"};
    words.insert(words.end(), each.words.begin(), each.words.end());
    Ran ran = run_corunctl(daemon, words);
    INFO(ran.err);
    CHECK(ran.code == each.code);
    CHECK(ran.err.find(each.text) != std::string::npos);
  }
  SocketClient client(daemon);
  Json reply = client.run("exec", {{"argv", {"true"}}, {"cwd", "/nowhere/at/all"}});
  CHECK(reply["parameters"]["type"] == "NotStarted");
  CHECK(reply["parameters"]["message"].get<std::string>().find("/nowhere/at/all") != std::string::npos);
  CHECK_FALSE(reply["parameters"]["result"].contains("exitCode"));
  CHECK(daemon.children().empty());
}

TEST_CASE("a command inherits three descriptors, no signal's disposition and nothing of the manager's, however busy the daemon is") {
  Daemon daemon;
  SocketClient client(daemon), other(daemon);
  std::vector<SocketClient> connected;
  for (int i = 0; i < 20; ++i) connected.emplace_back(daemon);
  for (int i = 0; i < 10; ++i) client.submit("exec", shell("exec sleep 100"), {{"group", "default"}});
  for (int i = 0; i < 10; ++i) {
    other.call("io.corund.Jobs.Run", {{"kind", "exec"}, {"args", shell("seq 1000")}});
  }
  for (int i = 0; i < 10; ++i) {
    Json reply = client.run("exec", shell("ls /proc/$$/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status; env"), {{"group", "default"}});
    const std::string told = reply["parameters"]["result"]["stdoutTail"];
    INFO(told);
    CHECK(told.starts_with("0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
    CHECK(told.find("NOTIFY_SOCKET") == std::string::npos);
    CHECK(told.find("CORUND_JOB_ID=" + reply["parameters"]["id"].get<std::string>()) != std::string::npos);
  }
}

TEST_CASE("where a cgroup is delegated a command's whole tree ends with it, and nothing is left") {
  ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP("no cgroup can be made here");
  cgroup.delegate();
  std::optional<InCgroup> inside(cgroup);
  Daemon daemon;
  inside.reset();
  SocketClient client(daemon);
  CHECK(read_file("/proc/" + std::to_string(daemon.pid()) + "/cgroup").find("/daemon\n") != std::string::npos);
  const std::string pids = daemon.directory() / "pids";
  SECTION("cancelled, after its grace") {
    const std::string id = client.submit("exec", shell(stubborn_tree(pids)), {{"grace", 0.1}});
    const auto tree = pids_in(pids, 4);
    CHECK(cgroup.count("job-") == 1);
    Json answer = client.ask("io.corund.Jobs.Cancel", {{"id", id}})["parameters"];
    CHECK(answer["outcome"] == "unwound");
    for (pid_t pid : tree) CHECK(is_gone(pid));
  }
  SECTION("at its own end") {
    Json reply = client.run("exec", shell("setsid sleep 1000 & echo $! >" + pids + "; exit 0"));
    CHECK(reply["parameters"]["result"]["exitCode"] == 0);
    CHECK(reply["parameters"]["result"]["cpuSeconds"].get<double>() > 0);
    for (pid_t pid : pids_in(pids, 1)) CHECK(is_gone(pid));
  }
  SECTION("many, one after the other") {
    for (int i = 0; i < 50; ++i) client.submit("exec", shell("setsid true & exit $((" + std::to_string(i) + " % 2))"));
    REQUIRE(eventually([&] { return client.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 0; }));
  }
  SECTION("the daemon is stopped at once") {
    client.submit("exec", shell(stubborn_tree(pids)));
    const auto tree = pids_in(pids, 4);
    daemon.signal(SIGTERM);
    CHECK(daemon.logs("stopping"));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == killed_by(SIGTERM));
    for (pid_t pid : tree) CHECK(eventually([&] { return is_gone(pid); }));
    return;
  }
  CHECK(eventually([&] { return cgroup.count("job-") == 0; }));
}

TEST_CASE("limits that need a cgroup are refused by name where there is none") {
  Daemon daemon;
  SocketClient client(daemon);
  for (const std::string limit : {"memory", "tasks"}) {
    Json reply = client.run("exec", {{"argv", {"true"}}, {"limits", {{limit, 100'000'000}}}});
    INFO(reply.dump());
    CHECK(error_of(reply) == "InvalidParameter");
    CHECK(reply["parameters"]["parameter"] == "args.limits." + limit);
  }
}

TEST_CASE("a command waits for its caller, who gets every line however slowly it reads") {
  Daemon daemon;
  SocketClient slow(daemon), other(daemon);
  constexpr int lines = 100'000;
  slow.call("io.corund.Jobs.Run", {{"kind", "exec"}, {"args", shell("seq 1 " + std::to_string(lines))}}, {{"more", true}});
  CHECK(eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 1; }));
  // Nobody reads: the command comes to a stop, and not to its end.
  std::int64_t steps = -1;
  CHECK(eventually([&] {
    const std::int64_t now = other.ask("io.corund.Daemon.Status")["parameters"]["steps"];
    return now - std::exchange(steps, now) < 30;
  }));
  CHECK(other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 1);
  int next = 1;
  for (;;) {
    const Json reply = slow.reply();
    if (!reply["parameters"].contains("event")) {
      CHECK(reply["parameters"]["state"] == "succeeded");
      break;
    }
    const Json& event = reply["parameters"]["event"];
    if (event["type"] != "output") {
      CHECK(event["type"] != "log");
      continue;
    }
    if (event["text"] != std::to_string(next)) {
      FAIL_CHECK("line " << next << " is missing, there is " << event["text"]);
      break;
    }
    ++next;
  }
  CHECK(next == lines + 1);
}

TEST_CASE("a command whose slow caller is gone goes on to its end") {
  Daemon daemon;
  SocketClient other(daemon);
  {
    SocketClient slow(daemon);
    slow.call("io.corund.Jobs.Run", {{"kind", "exec"}, {"args", shell("seq 1 1000000")}}, {{"more", true}});
    CHECK(eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 1; }));
  }
  CHECK(eventually([&] { return other.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 0; }));
  CHECK(daemon.children().empty());
}
