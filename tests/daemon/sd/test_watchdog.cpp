// SPDX-License-Identifier: MIT
#include "daemon/sd/watchdog.hpp"

#include <unistd.h>

#include <cstdlib>

#include "daemon/sd/message_ids.hpp"
#include "log_capture.hpp"
#include "support/catch.hpp"

using namespace corund::sd;
using namespace std::chrono_literals;
using tests::LogCapture;

namespace {

// As a loop publishes a step.
void begin_step(corun::StepProbe& probe, std::uint64_t number, const std::string& label, const char* file, std::uint32_t line) {
  auto words = corun::StepProbe::pack(label);
  for (std::size_t i = 0; i < words.size(); ++i) probe.scope_label[i].store(words[i]);
  probe.file.store(file);
  probe.line.store(line);
  probe.function.store("resize");
  probe.step_number.store(number - 1);
  probe.begin_step();
}

struct Environment {
  Environment(const char* usec, const char* pid) {
    usec ? ::setenv("WATCHDOG_USEC", usec, 1) : ::unsetenv("WATCHDOG_USEC");
    pid ? ::setenv("WATCHDOG_PID", pid, 1) : ::unsetenv("WATCHDOG_PID");
  }
  ~Environment() {
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
  }
};

}  // namespace

TEST_CASE("the watchdog's period is the environment's, where it speaks of this process") {
  { Environment env("3000000", nullptr); CHECK(watchdog_period() == std::chrono::nanoseconds(3s)); }
  { Environment env("3000000", std::to_string(::getpid()).c_str()); CHECK(watchdog_period() == std::chrono::nanoseconds(3s)); }
  { Environment env("3000000", "1"); CHECK_FALSE(watchdog_period().has_value()); }
  { Environment env(nullptr, nullptr); CHECK_FALSE(watchdog_period().has_value()); }
  { Environment env("nonsense", nullptr); CHECK_FALSE(watchdog_period().has_value()); }
  CHECK(ping_interval(30s) == 15s);
  CHECK(default_slow_step(std::nullopt) == 5s);
  CHECK(default_slow_step(std::chrono::nanoseconds(30s)) == 15s);
}

TEST_CASE("a step that does not end is reported with its job and place, again when it has lasted twice as long") {
  LogCapture capture;
  Log log(capture.backend());
  corun::StepProbe probe;
  LoopMonitor monitor(probe, log, {.slow_step = 20ms});
  begin_step(probe, 41, "01JABC", "images.cpp", 12);
  auto records = capture.wait_for(2);
  REQUIRE(records.size() >= 2);
  CHECK(records[0].level == LogLevel::warning);
  CHECK(records[0].message().find("Job 01JABC has been blocking the event loop for 0.") == 0);
  CHECK(records[0].message().find(", resumed at images.cpp:12 in resize") != std::string::npos);
  CHECK(records[0].find("CORUND_JOB_ID") == "01JABC");
  CHECK(records[0].find("CODE_LINE") == "12");
  CHECK(records[0].find("MESSAGE_ID") == message_ids::loop_blocked.hex);
  CHECK(std::stod(records[0].find("CORUND_SECONDS")) >= 0.02);
  CHECK(std::stod(records[1].find("CORUND_SECONDS")) >= 0.04);
}

TEST_CASE("when systemd is about to act, the report is an error that says so") {
  LogCapture capture;
  Log log(capture.backend());
  corun::StepProbe probe;
  LoopMonitor monitor(probe, log, {.slow_step = 40ms, .watchdog_period = 80ms});
  begin_step(probe, 1, "", nullptr, 0);
  auto records = capture.wait_for(2);
  REQUIRE(records.size() >= 2);
  CHECK(records[0].message().find("The event loop has been blocking in one step for 0.") == 0);
  bool told = false;
  for (const auto& record : records)
    told |= record.level == LogLevel::error && record.message().find("systemd's watchdog acts after 0.080 s") != std::string::npos;
  CHECK(told);
}

TEST_CASE("steps that go on, and a loop that waits, are not reported") {
  LogCapture capture;
  Log log(capture.backend());
  corun::StepProbe probe;
  LoopMonitor monitor(probe, log, {.slow_step = 500ms});
  const auto end = std::chrono::steady_clock::now() + 1200ms;
  for (std::uint64_t n = 1; std::chrono::steady_clock::now() < end; ++n) begin_step(probe, n, "01J", "a.cpp", 1);
  probe.running.store(false);
  std::this_thread::sleep_for(1200ms);
  CHECK(capture.records().empty());
}

TEST_CASE("the monitor ends at once") {
  LogCapture capture;
  Log log(capture.backend());
  corun::StepProbe probe;
  const auto begin = std::chrono::steady_clock::now();
  { LoopMonitor monitor(probe, log, {.slow_step = 1h}); }
  CHECK(std::chrono::steady_clock::now() - begin < 30s);
}

TEST_CASE("a monitor sleeps while the loop rests, and the next step that lasts too long is reported all the same") {
  LogCapture capture;
  Log log(capture.backend());
  corun::StepProbe probe;
  LoopMonitor monitor(probe, log, {.slow_step = 20ms});
  for (std::uint64_t round = 1; round <= 3; ++round) {
    while (!probe.reader_sleeps.load()) std::this_thread::yield();
    begin_step(probe, round, "01JROUND" + std::to_string(round), "a.cpp", 1);
    CHECK(probe.reader_sleeps.load() == 0);
    auto told = [&] {
      for (const auto& record : capture.records())
        if (record.find("CORUND_JOB_ID") == "01JROUND" + std::to_string(round)) return true;
      return false;
    };
    while (!told()) std::this_thread::yield();
    probe.running.store(false);
  }
}
