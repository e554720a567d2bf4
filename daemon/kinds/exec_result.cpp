// SPDX-License-Identifier: MIT
// Written as text at once: a tree of eight members is a dozen allocations.
#include "daemon/kinds/exec_result.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <concepts>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

namespace corund::kinds {
namespace {

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

// The members of an object, one after the other.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& to) : to_(to) { to_ += '{'; }

  void add(std::string_view name, std::string_view value) {
    add_name(name);
    append_string(to_, value);
  }
  void add(std::string_view name, std::integral auto value) {
    add_name(name);
    char digits[32];
    to_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  // To the microsecond; not negative.
  void add_seconds(std::string_view name, double seconds) {
    const long long us = std::llround(seconds * 1e6);
    add(name, us / 1'000'000);
    char fraction[] = ".000000";
    std::size_t length = 0;
    long long rest = us % 1'000'000;
    for (std::size_t i = sizeof fraction - 2; i > 0; --i, rest /= 10) {
      fraction[i] = static_cast<char>('0' + rest % 10);
      if (length == 0 && fraction[i] != '0') length = i + 1;
    }
    to_.append(fraction, length);
  }
  void finish() { to_ += '}'; }

 private:
  void add_name(std::string_view name) {
    if (to_.back() != '{') to_ += ',';
    to_ += '"';
    to_.append(name);
    to_ += '"';
    to_ += ':';
  }

  std::string& to_;
};

}  // namespace

const char* const exec_result_schema =
    R"({"type":"object","properties":{"exitCode":{"type":"integer"},"signal":{"type":"string"},)"
    R"("cpuSeconds":{"type":"number"},"maxRssKiB":{"type":"integer"},"memoryPeakKiB":{"type":"integer"},)"
    R"("wallSeconds":{"type":"number"},"stdoutTail":{"type":"string"},"stderrTail":{"type":"string"}}})";

JsonText exec_result(JsonText text, const corun::ExitStatus& status, const Measured& measured, std::string_view out_tail,
                     std::string_view err_tail) {
  text.clear();
  ObjectWriter result(text.str());
  if (status.signal)
    result.add("signal", signal_name(status.signal));
  else
    result.add("exitCode", status.code);
  result.add_seconds("cpuSeconds", measured.cpu_seconds);
  result.add("maxRssKiB", status.max_rss_kib);
  if (measured.memory_peak_kib) result.add("memoryPeakKiB", *measured.memory_peak_kib);
  result.add_seconds("wallSeconds", measured.wall_seconds);
  result.add("stdoutTail", out_tail);
  result.add("stderrTail", err_tail);
  result.finish();
  return text;
}

JobFailure exec_failure(const corun::ExitStatus& status, const Measured& measured, const ExecArgs& args, JsonText result) {
  std::string what = status.signal ? "killed by " + signal_name(status.signal) : "exited with status " + std::to_string(status.code);
  if (measured.oom_kills == 0) return JobFailure(status.signal ? "Signal" : "ExitStatus", what, std::move(result));
  what = "out of memory: " + what;
  if (args.memory_limit) what += "; it may have " + std::to_string(*args.memory_limit) + " bytes (limits.memory)";
  return JobFailure("OutOfMemory", what, std::move(result));
}

JobFailure not_started(const corun::StartError& error) {
  JsonText result;
  ObjectWriter writer(result.str());
  const int code = error.code().value();
  if (error.is_program()) writer.add("exitCode", code == ENOENT || code == ENOTDIR ? 127 : 126);
  writer.finish();
  return JobFailure("NotStarted", error.what(), std::move(result));
}

}  // namespace corund::kinds
