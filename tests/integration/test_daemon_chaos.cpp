// SPDX-License-Identifier: MIT
// Many jobs of all sorts at once through several connections, some of which are gone before they are answered; then everything is counted,
// from outside.
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "integration/daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::Daemon;
using tests::error_of;
using tests::eventually;
using tests::Json;
using tests::SocketClient;
using namespace std::chrono_literals;

namespace {

constexpr int connections = 8;
constexpr int calls_in_flight = 50;

// One connection: what it asked and has not been answered, and what it learned.
class Peer {
 public:
  Peer(const Daemon& daemon, std::mt19937& random) : daemon_(daemon), random_(random) { connect(); }

  // Sends a handful of calls. How many jobs they ask for.
  int send() {
    std::string bytes;
    int jobs = 0;
    for (int i = 0; i < calls_in_flight; ++i) {
      if (random_() % 8 == 0 && !ids_.empty()) {
        bytes += tests::call_text("io.corund.Jobs.Cancel", {{"id", ids_[random_() % ids_.size()]}, {"force", random_() % 4 == 0}});
        asked_.push_back(false);
        continue;
      }
      const bool is_attached = random_() % 2;
      bytes += tests::call_text(is_attached ? "io.corund.Jobs.Run" : "io.corund.Jobs.Submit", some_job());
      asked_.push_back(!is_attached);
      ++jobs;
    }
    const bool sent = client_->send(bytes);
    INFO("the daemon's log:\n" << daemon_.log());
    CHECK(sent);
    return jobs;
  }

  void receive() {
    // Now and then it goes away without waiting for its answers.
    if (random_() % 10 == 0) return connect();
    for (bool is_submission : asked_) {
      const auto text = client_->frame();
      INFO("the daemon's log:\n" << daemon_.log());
      REQUIRE(text.has_value());
      const Json answer = Json::parse(*text);
      const std::string error = error_of(answer);
      INFO(answer.dump());
      CHECK((error.empty() || error == "JobFailed" || error == "JobTimedOut" || error == "JobCancelled" || error == "JobNotFound"));
      if (is_submission) ids_.push_back(answer["parameters"]["id"]);
    }
    asked_.clear();
  }

  const std::vector<std::string>& ids() const { return ids_; }

 private:
  void connect() {
    client_.emplace(daemon_);
    asked_.clear();
  }

  Json some_job() {
    Json job;
    switch (random_() % 5) {
      case 0: job = {{"kind", "echo"}, {"args", {{"x", 1}}}}; break;
      case 1: job = {{"kind", "sleep"}, {"args", {{"seconds", 0.001 * static_cast<double>(random_() % 20)}}}}; break;
      case 2: job = {{"kind", "sleep"}, {"args", {{"seconds", 5}}}, {"timeout", 0.001 * static_cast<double>(random_() % 20)}}; break;
      case 3: job = {{"kind", "probe.leave"}, {"args", {{"seconds", 1}, {"count", 2}}}}; break;
      default: job = {{"kind", "probe.throw"}, {"args", {{"what", "runtime_error"}}}}; break;
    }
    if (random_() % 4 == 0) job["retry"] = {{"max", 2}, {"delay", 0.001}};
    if (random_() % 8 == 0) job["delay"] = 0.002;
    if (random_() % 8 == 0) job["context"] = "isolated";
    if (random_() % 4 == 0) job["group"] = "narrow";
    job["ack"] = random_() % 8 == 0 ? "disk" : "memory";
    return job;
  }

  const Daemon& daemon_;
  std::mt19937& random_;
  std::optional<SocketClient> client_;
  std::vector<bool> asked_;  // of each call without an answer: is it a submission?
  std::vector<std::string> ids_;
};

}  // namespace

TEST_CASE("the sum of outcomes is the sum of submissions, and nothing is left") {
  const int rounds = ::getenv("CORUND_TEST_LONG") ? 10 : 1;
  constexpr int jobs_a_round = 10'000;
  Daemon daemon({.config = "[groups.narrow]\nlimit = 20\n[jobs]\nkept_in_memory = 1000000\nkept = 1000000\n[log]\nlevel = \"error\"\n"});
  SocketClient observer(daemon);
  auto status = [&] { return observer.ask("io.corund.Daemon.Status")["parameters"]; };
  const Json before = status();
  const std::size_t fds = daemon.fds();
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);

  std::map<std::string, std::int64_t> ended;
  for (int round = 0; round < rounds; ++round) {
    std::set<std::string> ids;
    {
      std::vector<Peer> peers;
      peers.reserve(connections);
      for (int i = 0; i < connections; ++i) peers.emplace_back(daemon, random);
      for (int asked = 0; asked < jobs_a_round;) {
        for (Peer& peer : peers) asked += peer.send();
        for (Peer& peer : peers) peer.receive();
      }
      for (Peer& peer : peers)
        for (const auto& id : peer.ids()) CHECK(ids.insert(id).second);
    }
    CHECK(eventually([&] {
      const Json counts = status()["jobs"];
      return counts["queued"] == 0 && counts["delayed"] == 0 && counts["held"] == 0 && counts["running"] == 0;
    }));
    std::int64_t listed = 0;
    for (const Json& reply : observer.ask_more("io.corund.Jobs.List")) {
      const Json& job = reply["parameters"]["job"];
      ++ended[job["state"]];
      ++listed;
      ids.erase(job["id"].get<std::string>());
      CHECK(job["attempts"].size() <= 2);
    }
    CHECK(ids.empty());  // each one that was answered is there, once
    const Json removed = observer.ask("io.corund.Jobs.Remove", {{"states", {"succeeded", "failed", "cancelled", "timedOut"}}});
    CHECK(removed["parameters"]["count"] == listed);
  }

  const Json after = status();
  for (const char* state : {"succeeded", "failed", "cancelled", "timedOut"}) {
    INFO(state);
    CHECK(after["jobs"][state] == ended[state]);
    CHECK(ended[state] > 0);
  }
  CHECK(after["jobs"]["lost"] == 0);
  CHECK(eventually([&] { return status()["sessions"] == 1; }));
  CHECK(eventually([&] { return status()["tasks"] == before["tasks"]; }));
  CHECK(eventually([&] { return daemon.fds() == fds; }));
  CHECK(daemon.children().empty());
}
