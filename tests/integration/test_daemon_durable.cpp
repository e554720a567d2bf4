// SPDX-License-Identifier: MIT
// What was acknowledged survives: the real daemon, its real store, kill -9 at moments that nobody chose.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::eventually;
using tests::Json;
using tests::read_file;
using tests::SocketClient;
using tests::TempDir;
using namespace std::chrono_literals;

namespace {

tests::DaemonOptions on(const TempDir& directory, std::string config = {}) {
  return {.config = std::move(config), .arguments = {"--state", directory / "state"}};
}

void kill(Daemon& daemon) {
  daemon.signal(SIGKILL);
  CHECK(daemon.wait() == tests::killed_by(SIGKILL));
}

std::vector<Json> all_jobs(SocketClient& client, const Json& filter = Json::object()) {
  std::vector<Json> jobs;
  for (const Json& reply : client.ask_more("io.corund.Jobs.List", filter))
    if (reply["parameters"].contains("job")) jobs.push_back(reply["parameters"]["job"]);
  return jobs;
}

std::int64_t unfinished(SocketClient& client) {
  const Json counts = client.ask("io.corund.Daemon.Status")["parameters"]["jobs"];
  std::int64_t sum = 0;
  for (const char* state : {"queued", "running", "delayed", "held"}) sum += counts[state].get<std::int64_t>();
  return sum;
}

// Whether all jobs come to their end: as long as some do, the others are waited for.
bool runs_dry(SocketClient& client) {
  for (std::int64_t left = unfinished(client), now = left; left > 0; left = now)
    if (!eventually([&] { return (now = unfinished(client)) < left; })) return false;
  return true;
}

}  // namespace

TEST_CASE("a submission is on disk when it is answered, and is answered so") {
  TempDir directory;
  std::string id;
  {
    Daemon daemon(on(directory));
    SocketClient client(daemon);
    Json reply = client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}, {"args", {{"x", 1}}}, {"delay", 3600}});
    CHECK(reply["parameters"]["ack"] == "disk");
    id = reply["parameters"]["id"];
    CHECK(client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}, {"ack", "memory"}, {"delay", 3600}})["parameters"]["ack"] == "memory");
    kill(daemon);
  }
  Daemon daemon(on(directory));
  SocketClient client(daemon);
  auto jobs = all_jobs(client);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0]["id"] == id);
  CHECK(jobs[0]["state"] == "delayed");
  CHECK(jobs[0]["args"] == Json{{"x", 1}});
  CHECK(jobs[0]["waitingFor"] == "its time");
}

TEST_CASE("a durable job comes after none that a crash forgets") {
  TempDir directory;
  Daemon daemon(on(directory));
  SocketClient client(daemon);
  const std::string in_memory = client.submit("sleep", {{"seconds", 0.05}}, {{"ack", "memory"}});
  const auto after = [&](const char* ack) {
    return client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}, {"after", {in_memory}}, {"ack", ack}});
  };
  Json refused = after("disk");
  CHECK(error_of(refused) == "InvalidParameter");
  CHECK(refused["parameters"]["parameter"] == "after");
  refused = client.ask("io.corund.Jobs.SubmitMany", {{"jobs", {{{"kind", "echo"}}, {{"kind", "echo"}, {"after", {in_memory}}}}}});
  CHECK(refused["parameters"]["parameter"] == "jobs[1].after");
  CHECK(error_of(after("memory")) == "");
  CHECK(client.wait(in_memory)["state"] == "succeeded");
  const Json taken = after("disk");  // what it comes after is known now
  CHECK(client.wait(taken["parameters"]["id"])["state"] == "succeeded");
}

TEST_CASE("a daemon without a store says what it can promise") {
  Daemon daemon({.config = "[store]\npath = \":memory:\"\n", .arguments = {"--state", ":memory:"}});
  SocketClient client(daemon);
  CHECK(client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}})["parameters"]["ack"] == "memory");
  CHECK(client.ask("io.corund.Jobs.Submit", {{"kind", "echo"}, {"ack", "disk"}})["parameters"]["parameter"] == "ack");
}

TEST_CASE("who waits for a durable job is told at the stop that the next daemon will run it") {
  TempDir directory;
  Daemon daemon(on(directory));
  SocketClient client(daemon);
  const std::string id = client.submit("echo", {}, {{"delay", 3600}});
  const std::string after = client.submit("echo", {}, {{"after", Json::array({id})}});
  SocketClient waiting(daemon), watching(daemon), reading(daemon);
  waiting.call("io.corund.Jobs.Wait", {{"id", after}});
  watching.call("io.corund.Jobs.Watch", {{"id", id}}, {{"more", true}});
  CHECK(watching.reply()["parameters"]["event"]["type"] == "queued");
  reading.call("io.corund.Jobs.Logs", {{"id", id}, {"follow", true}}, {{"more", true}});
  CHECK(reading.reply()["continues"] == true);
  daemon.signal(SIGTERM);
  CHECK(error_of(waiting.reply()) == "Draining");
  CHECK(error_of(watching.reply()) == "Draining");
  CHECK(error_of(reading.reply()) == "Draining");
  CHECK(daemon.wait() == tests::exited(0));
}

TEST_CASE("a stop leaves durable jobs in the queue, and the next daemon runs them") {
  TempDir directory;
  const std::string config = "[groups.one]\nlimit = 1\n";
  std::vector<std::string> ids;
  {
    Daemon daemon(on(directory, config));
    SocketClient client(daemon);
    for (int i = 0; i < 3; ++i) ids.push_back(client.submit("sleep", {{"seconds", 0.3}}, {{"group", "one"}}));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == tests::exited(0));  // the one that ran has finished
  }
  Daemon daemon(on(directory, config));
  SocketClient client(daemon);
  CHECK(client.show(ids[0])["state"] == "succeeded");
  for (const auto& id : ids) CHECK(client.wait(id)["state"] == "succeeded");
}

TEST_CASE("a job that a stop gave up on is lost by that, and not by a crash") {
  TempDir directory;
  const Json args = {{"seconds", 3600}, {"count", 2}};  // of three cancellations: the stop's two, and that of the loop's end
  std::string once, twice;
  {
    Daemon daemon(on(directory, "[stop]\ngrace = 0\n"));
    SocketClient client(daemon);
    once = client.submit("probe.stubborn", args, {{"grace", 0.05}});
    twice = client.submit("probe.stubborn", args, {{"grace", 0.05}, {"retry", {{"max", 2}, {"delay", 3600}}}});
    CHECK(eventually([&] { return client.ask("io.corund.Daemon.Status")["parameters"]["jobs"]["running"] == 2; }));
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == tests::exited(0));
    CHECK(daemon.log().find("probe.stubborn lost: it was cancelled by the daemon's stop and did not end") != std::string::npos);
    CHECK(daemon.log().find("probe.stubborn attempt 1 lost: ") != std::string::npos);
  }
  Daemon daemon(on(directory));
  SocketClient client(daemon);
  const Json lost = client.show(once);
  CHECK(lost["state"] == "lost");
  CHECK(lost["errorMessage"].get<std::string>().find("the daemon's stop") != std::string::npos);
  const Json waits = client.show(twice);
  CHECK(waits["state"] == "delayed");
  REQUIRE(waits["attempts"].size() == 1);
  CHECK(waits["attempts"][0]["state"] == "lost");
  CHECK(waits["attempts"][0]["errorMessage"] == lost["errorMessage"]);
}

TEST_CASE("two daemons do not share a store, and the second one names the first") {
  TempDir directory;
  Daemon first(on(directory));
  Daemon second({.arguments = {"--state", directory / "state"}, .wait_until_ready = false});
  CHECK(second.wait() == tests::exited(1));
  CHECK(second.log().find(std::to_string(first.pid())) != std::string::npos);
}

TEST_CASE("a store that is none is left alone until the administrator says so") {
  TempDir directory;
  const std::string garbage(10'000, 'x');
  std::filesystem::create_directory(directory / "state");
  tests::write_file(directory / "state/jobs.db", garbage);
  {
    Daemon daemon({.arguments = {"--state", directory / "state"}, .wait_until_ready = false});
    CHECK(daemon.wait() == tests::exited(1));
    CHECK(daemon.log().find("--new-store") != std::string::npos);
    CHECK(read_file(directory / "state/jobs.db") == garbage);
  }
  Daemon daemon({.arguments = {"--state", directory / "state", "--new-store"}});
  CHECK(daemon.logs("set aside"));
  bool found = false;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "state"))
    found |= entry.path().filename().string().starts_with("jobs.db.set-aside") && read_file(entry.path()) == garbage;
  CHECK(found);
}

TEST_CASE("what a command has left running is ended before its job goes on") {
  TempDir directory;
  const std::string pids = directory / "pids";
  std::string id;
  std::set<pid_t> left;
  {
    Daemon daemon(on(directory));
    SocketClient client(daemon);
    // The grandchild is in the command's group; the command itself goes with the daemon.
    id = client.submit("exec", {{"shell", "sleep 1000 & echo $! >> " + pids + "; wait"}}, {{"retry", {{"max", 2}, {"delay", 0.05}}}});
    CHECK(eventually([&] { return !read_file(pids).empty(); }));
    left.insert(std::stoi(read_file(pids)));
    kill(daemon);
  }
  CHECK(::kill(*left.begin(), 0) == 0);
  Daemon daemon(on(directory));
  auto is_gone = [](pid_t pid) {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  };
  CHECK(eventually([&] { return is_gone(*left.begin()); }));
  SocketClient client(daemon);
  CHECK(eventually([&] { return client.show(id)["state"] == "running"; }));
  Json job = client.show(id);
  REQUIRE(job["attempts"].size() == 2);
  CHECK(job["attempts"][0]["state"] == "lost");
  client.ask("io.corund.Jobs.Cancel", {{"id", id}});
}

// The load: jobs that write their number to a file, one at a time in the order of their submission; some may be tried again. The fault: kill
// -9 at a random moment, again and again. The promise: at the end of it, docs/store.md.
TEST_CASE("kill -9 at any moment loses nothing that was acknowledged, and runs nothing twice") {
  const int rounds = ::getenv("CORUND_TEST_LONG") ? 200 : 12;
  TempDir directory;
  const std::string trace = directory / "trace";
  // The records of all of them stay: a fast disk takes more than the default keeps.
  const std::string config = "[groups.one]\nlimit = 1\n[jobs]\nkept = 10000000\n";
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::map<std::string, int> acknowledged;  // id -> number
  int number = 0;

  for (int round = 0; round < rounds; ++round) {
    Daemon daemon(on(directory, config));
    SocketClient client(daemon);
    std::jthread killer([pid = daemon.pid(), delay = std::chrono::microseconds(random() % 120'000)] {
      std::this_thread::sleep_for(delay);
      ::kill(pid, SIGKILL);
    });
    for (bool lives = true; lives;) {
      const int batch = 1 + static_cast<int>(random() % 16);
      std::string bytes;
      for (int i = 0; i < batch; ++i) {
        const int n = number + i;
        Json parameters = {{"kind", "probe.note"}, {"args", {{"trace", trace}, {"line", std::to_string(n)}}}, {"group", "one"},
                           {"labels", {{"n", std::to_string(n)}}}};
        if (n % 2) parameters["retry"] = {{"max", 1000}, {"delay", 0}};
        bytes += tests::call_text("io.corund.Jobs.Submit", parameters);
      }
      lives = client.send(bytes);
      for (int i = 0; lives && i < batch; ++i) {
        auto reply = client.frame();
        if (!reply) {
          lives = false;
          break;
        }
        const Json answer = Json::parse(*reply);
        REQUIRE(error_of(answer) == "");
        REQUIRE(answer["parameters"]["ack"] == "disk");
        acknowledged[answer["parameters"]["id"]] = number + i;
      }
      number += batch;
    }
    killer.join();
    CHECK(daemon.wait() == tests::killed_by(SIGKILL));
  }

  Daemon daemon(on(directory, config));
  SocketClient client(daemon);
  REQUIRE(runs_dry(client));
  std::map<int, int> lines;
  std::vector<int> first_seen;
  std::istringstream text(read_file(trace));
  for (int n = 0; text >> n;)
    if (++lines[n] == 1) first_seen.push_back(n);
  CHECK(std::ranges::is_sorted(first_seen));

  std::map<std::string, Json> jobs;
  for (Json& job : all_jobs(client)) CHECK(jobs.emplace(job["id"], job).second);
  std::size_t lost = 0;
  for (const auto& [id, n] : acknowledged) {
    INFO("job " << id << ", number " << n);
    REQUIRE(jobs.contains(id));
    const Json& job = jobs[id];
    CHECK(job["labels"]["n"] == std::to_string(n));
    const bool is_retried = n % 2;
    if (job["state"] == "lost") {
      ++lost;
      CHECK_FALSE(is_retried);
    } else {
      CHECK(job["state"] == "succeeded");
      CHECK(lines[n] >= 1);
    }
    if (!is_retried) CHECK(lines[n] <= 1);
  }
  INFO(acknowledged.size() << " acknowledged, " << lost << " lost");
  CHECK(acknowledged.size() > static_cast<std::size_t>(rounds));
  CHECK(lost <= static_cast<std::size_t>(rounds));
}

namespace {

// Counts, from outside, how often the daemon has data synced.
class SyncCounter {
 public:
  explicit SyncCounter(pid_t pid, const std::string& file) : file_(file) {
    pid_ = ::fork();
    if (pid_ == 0) {
      const std::string target = std::to_string(pid);
      ::execlp("strace", "strace", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-o", file.c_str(), "-p", target.c_str(), nullptr);
      ::_exit(127);
    }
    REQUIRE(eventually([&] { return sees_all_threads(pid); }));
  }
  // Detaches, and counts.
  std::size_t stop() {
    ::kill(pid_, SIGINT);
    ::waitpid(pid_, nullptr, 0);
    std::istringstream lines(read_file(file_));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);)
      if (line.find("sync(") != std::string::npos) ++count;
    return count;
  }

 private:
  bool sees_all_threads(pid_t pid) const {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
      if (read_file(thread.path().string() + "/status").find("TracerPid:\t" + std::to_string(pid_) + "\n") == std::string::npos)
        return false;
    return true;
  }

  std::string file_;
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a submission on its own costs one sync, and those that come together share one") {
  TempDir directory;
  Daemon daemon(on(directory));
  SocketClient client(daemon);
  CHECK(error_of(client.ask("io.corund.Daemon.Pause")) == "");
  client.submit("echo");  // whatever is done once is done
  constexpr std::size_t jobs = 40;
  {
    SyncCounter syncs(daemon.pid(), directory / "alone");
    for (std::size_t i = 0; i < jobs; ++i) client.submit("echo");
    const std::size_t counted = syncs.stop();
    CHECK(counted >= jobs);
    CHECK(counted <= jobs + 6);  // a fold of the WAL into the database, where the daemon was idle for long enough
  }
  SyncCounter syncs(daemon.pid(), directory / "together");
  std::string bytes;
  for (std::size_t i = 0; i < jobs; ++i) bytes += tests::call_text("io.corund.Jobs.Submit", {{"kind", "echo"}});
  REQUIRE(client.send(bytes));
  for (std::size_t i = 0; i < jobs; ++i) CHECK(client.reply()["parameters"]["ack"] == "disk");
  CHECK(syncs.stop() <= 12);
}
