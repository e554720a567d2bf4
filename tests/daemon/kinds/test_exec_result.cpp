// SPDX-License-Identifier: MIT
#include "daemon/kinds/exec_result.hpp"

#include <csignal>

#include "support/catch.hpp"

using namespace corund;
using namespace corund::kinds;

namespace {

corun::ExitStatus ended(int code, int signal = 0) {
  corun::ExitStatus status;
  status.code = code;
  status.signal = signal;
  status.max_rss_kib = 2048;
  return status;
}

Json parsed(const JsonText& text) { return Json::parse(text.view()); }

}  // namespace

TEST_CASE("a result tells how the command ended, what it used and what it wrote last") {
  const JsonText result = exec_result(JsonText("used before"), ended(0), {.wall_seconds = 0.5, .cpu_seconds = 0.000025}, "out \"x\"\n", "\xff");
  CHECK(parsed(result) == Json::parse(R"({"exitCode":0,"cpuSeconds":0.000025,"maxRssKiB":2048,"wallSeconds":0.5,
                                          "stdoutTail":"out \"x\"\n","stderrTail":"�"})"));
  const Json killed = parsed(exec_result({}, ended(0, SIGKILL), {.memory_peak_kib = 7}, "", ""));
  CHECK(killed["signal"] == "SIGKILL");
  CHECK(killed["memoryPeakKiB"] == 7);
  CHECK_FALSE(killed.contains("exitCode"));
  const Json real_time = parsed(exec_result({}, ended(0, SIGRTMIN + 3), {}, "", ""));
  CHECK(real_time["signal"] == "signal " + std::to_string(SIGRTMIN + 3));
  for (const auto& [name, value] : killed.items()) CHECK(Json::parse(exec_result_schema)["properties"].contains(name));
}

TEST_CASE("times are told to the microsecond, as short as they can be written") {
  const auto told = [](double seconds) {
    const JsonText result = exec_result({}, ended(0), {.wall_seconds = seconds}, "", "");
    const std::string text(result.view()), name = "\"wallSeconds\":";
    const std::size_t begin = text.find(name) + name.size();
    return text.substr(begin, text.find(',', begin) - begin);
  };
  CHECK(told(0) == "0");
  CHECK(told(0.0000004) == "0");
  CHECK(told(0.000001) == "0.000001");
  CHECK(told(0.1) == "0.1");
  CHECK(told(1.25) == "1.25");
  CHECK(told(0.9999999) == "1");
  CHECK(told(3600) == "3600");
  CHECK(told(12.000305) == "12.000305");
}

TEST_CASE("a failure is named by what ended the command") {
  ExecArgs args;
  args.memory_limit = 1000;
  const JobFailure status = exec_failure(ended(3), {}, args, JsonText("{}"));
  CHECK(status.type() == "ExitStatus");
  CHECK(std::string(status.what()) == "exited with status 3");
  CHECK(status.result().view() == "{}");
  const JobFailure signal = exec_failure(ended(0, SIGTERM), {}, args, {});
  CHECK(signal.type() == "Signal");
  CHECK(std::string(signal.what()) == "killed by SIGTERM");
  const JobFailure memory = exec_failure(ended(0, SIGKILL), {.oom_kills = 1}, args, {});
  CHECK(memory.type() == "OutOfMemory");
  CHECK(std::string(memory.what()) == "out of memory: killed by SIGKILL; it may have 1000 bytes (limits.memory)");
}

TEST_CASE("what could not be started has a shell's status, where it is the program's fault") {
  const auto status = [](int error, bool is_program) { return parsed(not_started(corun::StartError(error, "cannot", is_program)).result()); };
  CHECK(status(ENOENT, true) == Json{{"exitCode", 127}});
  CHECK(status(EACCES, true) == Json{{"exitCode", 126}});
  CHECK(status(ENOENT, false) == Json::object());
}
