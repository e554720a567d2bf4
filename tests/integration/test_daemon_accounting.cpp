// SPDX-License-Identifier: MIT
// What jobs have used: in their records, on the disk and in the journal.
#include <sqlite3.h>

#include <cstdio>
#include <memory>

#include "integration/daemon.hpp"
#include "integration/own_journal.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using namespace tests;

namespace {

Json attempt_of(SocketClient& client, const std::string& kind, const Json& args) {
  const Json job = client.wait(client.submit(kind, args));
  INFO(job.dump());
  REQUIRE(job["attempts"].size() == 1);
  return job["attempts"][0];
}

// The column `usage` of the one attempt that the store knows.
Json stored_usage(const std::string& file) {
  sqlite3* raw = nullptr;
  REQUIRE(::sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(raw, ::sqlite3_close);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(::sqlite3_prepare_v2(raw, "SELECT usage FROM attempt WHERE ended_us IS NOT NULL", -1, &statement, nullptr) == SQLITE_OK);
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> reading(statement, ::sqlite3_finalize);
  REQUIRE(::sqlite3_step(statement) == SQLITE_ROW);
  return Json::parse(reinterpret_cast<const char*>(::sqlite3_column_text(statement, 0)));
}

std::string build_id_of_probe(SocketClient& client) {
  const Json kinds = client.ask("io.corund.Jobs.ListKinds")["parameters"]["kinds"];
  for (const Json& kind : kinds)
    if (kind["name"] == "probe.spin") return kind.value("buildId", std::string());
  return {};
}

}  // namespace

TEST_CASE("a record says what its job has used of the loop, of threads and of the processor") {
  Daemon daemon;
  SocketClient client(daemon);
  const Json spun = attempt_of(client, "probe.spin", {{"seconds", 0.2}});
  CHECK(spun["steps"].get<int>() >= 2);
  CHECK(spun["longestStepSeconds"].get<double>() >= 0.2);
  CHECK(spun["loopSeconds"].get<double>() >= spun["longestStepSeconds"].get<double>());
  CHECK_FALSE(spun.contains("cpuSeconds"));

  const Json threaded = attempt_of(client, "probe.thread", {{"seconds", 0.2}});
  CHECK(threaded["threadSeconds"].get<double>() >= 0.2);
  CHECK(threaded["loopSeconds"].get<double>() < 0.2);

  const Json command = attempt_of(client, "exec", {{"shell", "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done"}});
  CHECK(command["cpuSeconds"].get<double>() > 0);
  CHECK(command["maxRssKiB"].get<int>() > 0);
  CHECK(command["steps"].get<int>() > 0);
}

TEST_CASE("the disk keeps where the longest step was and which plugin ran") {
  TempDir directory;
  Daemon daemon({.arguments = {"--state", directory / "state"}});
  SocketClient client(daemon);
  const std::string build_id = build_id_of_probe(client);
  CHECK(attempt_of(client, "probe.spin", {{"seconds", 0.05}})["steps"] > 0);
  const Json usage = stored_usage(directory / "state/jobs.db");
  INFO(usage.dump());
  CHECK(usage["longestStepAt"].get<std::string>().find("probe.cpp:") != std::string::npos);
  REQUIRE_FALSE(build_id.empty());
  CHECK(usage["buildId"] == build_id);
}

TEST_CASE("the journal's record of an end says what its steps took, where, and which plugin ran") {
  OwnJournal journal;
  if (!journal.why_not().empty()) CORUND_SKIP(journal.why_not());
  Daemon daemon({.config = "[log]\ntarget = \"journal\"\n"});
  SocketClient client(daemon);
  const std::string id = client.submit("probe.spin", {{"seconds", 0.1}});
  client.wait(id);
  Json ended;
  CHECK(eventually([&] {
    FILE* pipe = ::popen(("journalctl --no-pager --quiet -n 1 -o json CORUND_STATE=succeeded CORUND_JOB_ID=" + id).c_str(), "r");
    if (!pipe) return false;
    std::string text(65536, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), pipe));
    ::pclose(pipe);
    if (text.empty()) return false;
    ended = Json::parse(text);
    return true;
  }));
  INFO(ended.dump());
  CHECK(std::stoll(ended["CORUND_STEPS"].get<std::string>()) >= 2);
  CHECK(std::stoll(ended["CORUND_LONGEST_STEP_USEC"].get<std::string>()) >= 100'000);
  CHECK(ended["CORUND_LONGEST_STEP_AT"].get<std::string>().find("probe.cpp:") != std::string::npos);
  CHECK(ended["CORUND_BUILD_ID"] == build_id_of_probe(client));
}
