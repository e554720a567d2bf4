// SPDX-License-Identifier: MIT
// The loop does not say when a step began: reading a clock before every step would cost more than the step. The monitor needs no such
// time; it sees the same step number at two looks and knows how long it was between them.
#include "daemon/sd/watchdog.hpp"

#include <pthread.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "daemon/sd/message_ids.hpp"

namespace corund::sd {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

std::string seconds_text(nanoseconds value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double>(value).count());
  return text;
}

}  // namespace

std::optional<nanoseconds> watchdog_period() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::duration_cast<nanoseconds>(std::chrono::microseconds(microseconds));
}

LoopMonitor::LoopMonitor(corun::StepProbe& probe, Log& log, LoopMonitorOptions options)
    : probe_(probe), log_(log), options_(options) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the loop's thread's
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), "corund-monitor");
}

LoopMonitor::~LoopMonitor() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ending_.notify_one();
  probe_.wake_reader();
  thread_.join();
}

// Looks now and then as long as the loop has something to do, and sleeps while it rests: an idle daemon wakes nobody.
void LoopMonitor::run() {
  const nanoseconds pause = std::clamp(options_.slow_step / 4, nanoseconds(std::chrono::milliseconds(1)),
                                       nanoseconds(std::chrono::seconds(1)));
  std::uint64_t step = 0;
  auto since = clock::now();                 // the step has run at least from here on
  nanoseconds next = options_.slow_step;     // report it when it has lasted so long
  bool watchdog_told = false;
  std::unique_lock lock(mutex_);
  while (!ending_.wait_for(lock, pause, [this] { return ended_.load(); })) {
    if (!probe_.running.load(std::memory_order_acquire)) {
      lock.unlock();
      probe_.wait_for_step([this] { return ended_.load(); });
      lock.lock();
    }
    const auto now = clock::now();
    const std::uint64_t current = probe_.step_number.load(std::memory_order_acquire);
    if (!probe_.running.load(std::memory_order_acquire) || current != step) {
      step = current;
      since = now;
      next = options_.slow_step;
      watchdog_told = false;
      continue;
    }
    const nanoseconds lasted = now - since;
    const bool watchdog_near = options_.watchdog_period && !watchdog_told && lasted >= *options_.watchdog_period / 4 * 3;
    if (lasted < next && !watchdog_near) continue;
    report(lasted, watchdog_near);
    watchdog_told = watchdog_told || watchdog_near;
    while (next <= lasted) next *= 2;
  }
}

void LoopMonitor::report(nanoseconds lasted, bool watchdog_near) {
  const std::uint64_t step = probe_.step_number.load(std::memory_order_acquire);
  const std::string job = probe_.label();
  const char* file = probe_.file.load(std::memory_order_acquire);
  const char* function = probe_.function.load(std::memory_order_acquire);
  const std::uint32_t line = probe_.line.load(std::memory_order_acquire);
  // The step ended while we read: what was read may be of two steps, and there is nothing to report any more.
  if (probe_.step_number.load(std::memory_order_acquire) != step) return;

  const std::string seconds = seconds_text(lasted);
  std::string message = (job.empty() ? "The event loop" : "Job " + job) + " has been blocking " +
                        (job.empty() ? "in one step" : "the event loop") + " for " + seconds + " s";
  if (file) message += ", resumed at " + std::string(file) + ":" + std::to_string(line);
  if (function && *function) message += " in " + std::string(function);
  if (watchdog_near)
    message += "; systemd's watchdog acts after " + seconds_text(*options_.watchdog_period) + " s without a ping";
  std::string line_text = file ? std::to_string(line) : "";
  log_.write(watchdog_near ? LogLevel::error : LogLevel::warning, message, message_ids::loop_blocked,
             {{"CORUND_JOB_ID", job},
              {"CORUND_SECONDS", seconds},
              {"CODE_FILE", file ? file : ""},
              {"CODE_LINE", line_text},
              {"CODE_FUNC", function ? function : ""}});
}

}  // namespace corund::sd
