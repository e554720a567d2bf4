// SPDX-License-Identifier: MIT
#include "daemon/sd/log.hpp"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "daemon/sd/message_ids.hpp"
#include "log_capture.hpp"
#include "support/catch.hpp"

using namespace corund::sd;
using namespace std::chrono_literals;
using tests::LogCapture;

TEST_CASE("a record reaches the backend with its message, priority, id and fields, in this order") {
  LogCapture capture;
  Log log(capture.backend());
  std::string id = "01J0";
  CHECK(log.write(LogLevel::warning, "a job = failed\nbadly", message_ids::job_failed,
                  {{"CORUND_JOB_ID", id}, {"OBJECT_PID", 77}, {"CORUND_STREAM", ""}}));
  auto records = capture.wait_for(1);
  REQUIRE(records.size() == 1);
  CHECK(records[0].level == LogLevel::warning);
  CHECK(records[0].entries == std::vector<std::string>{"MESSAGE=a job = failed\nbadly", "PRIORITY=4",
                                                       std::string("MESSAGE_ID=") + message_ids::job_failed.hex,
                                                       "CORUND_JOB_ID=01J0", "OBJECT_PID=77"});
}

TEST_CASE("a form is the record it was made from, with another value in its varying field") {
  LogCapture capture;
  Log log(capture.backend());
  const Field fields[] = {{"CORUND_KIND", "CORUND_JOB_ID=0000"}, {"CORUND_JOB_ID", "0000"}, {"CORUND_STREAM", ""}, {"CORUND_OWNER_UID", 7}};
  const RecordForm form(LogLevel::notice, "CORUND_JOB_ID=0000 again", message_ids::job_submitted, fields, "CORUND_JOB_ID");
  CHECK(log.write(form, "01J1"));
  CHECK_FALSE(log.write(form, "longer"));
  CHECK(log.write(form, "01J2"));
  auto records = capture.wait_for(2);
  REQUIRE(records.size() == 2);
  CHECK(records[0].level == LogLevel::notice);
  CHECK(records[0].entries == std::vector<std::string>{"MESSAGE=CORUND_JOB_ID=0000 again", "PRIORITY=5",
                                                       std::string("MESSAGE_ID=") + message_ids::job_submitted.hex,
                                                       "CORUND_KIND=CORUND_JOB_ID=0000", "CORUND_JOB_ID=01J1", "CORUND_OWNER_UID=7"});
  CHECK(records[1].find("CORUND_JOB_ID") == "01J2");
  log.set_level(LogLevel::warning);
  CHECK_FALSE(log.write(form, "01J3"));
}

TEST_CASE("records below the level are not taken, and the level can be changed") {
  LogCapture capture;
  Log log(capture.backend(), {.level = LogLevel::notice});
  CHECK_FALSE(log.wants(LogLevel::info));
  CHECK_FALSE(log.write(LogLevel::info, "not wanted"));
  log.set_level(LogLevel::debug);
  CHECK(log.write(LogLevel::debug, "wanted"));
  CHECK(capture.wait_for(1).at(0).message() == "wanted");
  CHECK(log.dropped() == 0);
}

TEST_CASE("records come out in the order of writing") {
  LogCapture capture;
  Log log(capture.backend(), {.queue_records = 100'000});
  for (int i = 0; i < 10'000; ++i) REQUIRE(log.write(LogLevel::info, std::to_string(i)));
  auto records = capture.wait_for(10'000);
  REQUIRE(records.size() == 10'000);
  for (int i = 0; i < 10'000; ++i)
    if (records[static_cast<std::size_t>(i)].message() != std::to_string(i)) FAIL("out of order at " << i);
}

TEST_CASE("writing goes on while the backend stands still, and what was dropped is counted and told") {
  LogCapture capture;
  capture.stand_still();
  Log log(capture.backend(), {.queue_records = 16});
  REQUIRE(log.write(LogLevel::info, "the one it is stuck in"));
  REQUIRE(capture.wait_stuck());
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += log.write(LogLevel::info, "more");
  CHECK(taken == 16);
  CHECK(log.dropped() == 84);
  CHECK_FALSE(log.flush(10ms));
  capture.go_on();
  CHECK(log.flush(30s));
  auto records = capture.wait_for(18);
  REQUIRE(records.size() == 18);
  CHECK(records.back().message() == "84 records were dropped: the log could not be written fast enough");
  CHECK(records.back().find("CORUND_COUNT") == "84");
  CHECK(records.back().find("MESSAGE_ID") == message_ids::records_dropped.hex);
  CHECK(log.write(LogLevel::info, "there is room again"));
  CHECK(capture.wait_for(19).size() == 19);
  CHECK(log.dropped() == 84);
}

TEST_CASE("the queue is bounded in bytes too, and a record larger than it is dropped and told") {
  LogCapture capture;
  Log log(capture.backend(), {.queue_bytes = 1000});
  CHECK_FALSE(log.write(LogLevel::info, std::string(2000, 'x')));
  CHECK(log.dropped() == 1);
  log.write(LogLevel::info, "next");
  bool told = false;
  for (const auto& record : capture.wait_for(2)) told |= record.message().find("1 record was dropped") == 0;
  CHECK(told);
}

TEST_CASE("closing writes what waits; after it nothing is taken") {
  LogCapture capture;
  capture.stand_still();
  Log log(capture.backend());
  for (int i = 0; i < 50; ++i) log.write(LogLevel::info, "x");
  REQUIRE(capture.wait_stuck());
  capture.go_on();
  CHECK(log.close(30s));
  CHECK(capture.records().size() == 50);
  CHECK_FALSE(log.write(LogLevel::info, "late"));
  CHECK(log.close(0s));
}

TEST_CASE("closing gives up on a backend that stands still") {
  LogCapture capture;
  capture.stand_still();
  {
    Log log(capture.backend());
    log.write(LogLevel::info, "stuck");
    REQUIRE(capture.wait_stuck());
    CHECK_FALSE(log.close(20ms));
  }
  capture.go_on();  // the thread that was left to itself still has a backend to write to
  CHECK(capture.wait_for(1).size() == 1);
}

TEST_CASE("a log without a backend takes nothing and costs nothing") {
  Log log(nullptr);
  CHECK_FALSE(log.write(LogLevel::error, "nobody"));
  CHECK(log.flush(0s));
  CHECK(log.dropped() == 0);
}

TEST_CASE("many threads write at once and nothing is lost or mixed up") {
  LogCapture capture;
  Log log(capture.backend(), {.queue_records = 1'000'000, .queue_bytes = 1 << 30});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 1000; ++i) log.write(LogLevel::info, std::to_string(t), {}, {{"N", i}});
    });
  for (auto& thread : threads) thread.join();
  REQUIRE(log.flush(30s));
  std::vector<int> next(4, 0);
  for (const auto& record : capture.records()) {
    auto& expected = next.at(static_cast<std::size_t>(std::stoi(record.message())));
    if (record.find("N") != std::to_string(expected++)) FAIL("mixed up");
  }
  CHECK(next == std::vector<int>{1000, 1000, 1000, 1000});
}

TEST_CASE("the log's thread takes no signals") {
  Log log(LogCapture().backend());
  int found = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::ifstream name(task.path() / "comm");
    std::getline(name, comm);
    if (comm != "corund-log") continue;
    ++found;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("SigBlk:", 0) != 0) continue;
      const unsigned long long mask = std::stoull(line.substr(7), nullptr, 16);
      CHECK((mask & (1ull << (SIGINT - 1))) != 0);
      CHECK((mask & (1ull << (SIGTERM - 1))) != 0);
    }
  }
  CHECK(found == 1);
}
