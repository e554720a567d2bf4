// SPDX-License-Identifier: MIT
// The call that made a coroutine which nobody awaited: its address in debug mode, and addr2line makes the very line of it.
#include <corun/corun.hpp>
#include <cstdio>
#include <memory>
#include <sstream>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;
using tests::Reports;

namespace {

// Not inlined: clang may leave out the frame of a coroutine that it sees die unawaited, and then there is none to tell of.
[[gnu::noinline]] Coro<> forgotten() { co_await corun::sleep(0s); }

constexpr unsigned line_of_call = __LINE__ + 1;
[[gnu::noinline]] void forget() { auto lost = forgotten(); }

[[gnu::noinline]] Coro<> forgets() {
  forget();
  co_await corun::sleep(0s);
  forget();
}

std::string output_of(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string text;
  char buffer[4096];
  while (std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe.get())) text.append(buffer, n);
  return text;
}

// The lines that addr2line gives for the report's addresses.
std::string resolved(const std::string& report) {
  std::istringstream lines(report.substr(report.find("made at")));
  std::string line, all;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    auto plus = line.rfind("+0x");
    if (line.compare(0, 2, "  ") != 0 || plus == std::string::npos) continue;
    std::string file = line.substr(2, plus - 2);
    std::string offset = line.substr(plus + 1, line.find(' ', plus) - plus - 1);
    all += output_of("addr2line -Cfip -e '" + file + "' " + offset + " 2>&1");
  }
  return all;
}

Reports run_forgetting(bool debug) {
  Reports reports;
  auto options = tests::virtual_time_heard_by(reports);
  options.debug = debug;
  corun::run(forgets(), options);
  return reports;
}

}  // namespace

TEST_CASE("103: in debug mode the report has the call that made the coroutine, for addr2line") {
  Reports reports = run_forgetting(true);
  REQUIRE(reports.warnings.size() == 2);
  const std::string& report = reports.warnings[0];
  CAPTURE(report);
  CHECK(report.find("coroutine 'forgotten' was never awaited") == 0);
  REQUIRE(report.find("\nmade at (addr2line -Cfip -e FILE OFFSET):\n  ") != std::string::npos);
  std::string lines = resolved(report);
  CAPTURE(lines);
  if (lines.find(".cpp:") == std::string::npos) {
    CHECK(lines.find("??") != std::string::npos);  // a build without debug information: the address is all there is
    return;
  }
  CHECK(lines.find("test_frame_origins.cpp:" + std::to_string(line_of_call)) != std::string::npos);
}

TEST_CASE("103: in debug mode the report names the coroutine that made it, and where that stood") {
  Reports reports = run_forgetting(true);
  REQUIRE(reports.warnings.size() == 2);
  CHECK(reports.warnings[0].find("\nmade by: forgets(), before its first await") != std::string::npos);
  CHECK(reports.warnings[1].find("\nmade by: forgets(), after its await at ") != std::string::npos);
  CHECK(reports.warnings[1].find("test_frame_origins.cpp:" + std::to_string(line_of_call + 4)) != std::string::npos);
}

TEST_CASE("103: without debug mode nothing is kept of where coroutines are made") {
  Reports reports = run_forgetting(false);
  REQUIRE(reports.warnings.size() == 2);
  CHECK(reports.warnings[0] == "coroutine 'forgotten' was never awaited");
}

TEST_CASE("103: debug mode that is switched on inside a run holds from there") {
  Reports reports;
  corun::run(
      []() -> Coro<> {
        auto& loop = corun::get_running_loop();
        {
          auto before = forgotten();
          loop.set_debug(true);
        }
        { auto after = forgotten(); }
        loop.set_debug(false);
        { auto later = forgotten(); }
        co_return;
      }(),
      tests::virtual_time_heard_by(reports));
  REQUIRE(reports.warnings.size() == 3);
  CHECK(reports.warnings[0].find("made at") == std::string::npos);  // nothing is known of that one
  CHECK(reports.warnings[1].find("made at") != std::string::npos);
  CHECK(reports.warnings[2].find("made at") == std::string::npos);
}
