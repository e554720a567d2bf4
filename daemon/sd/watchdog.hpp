// SPDX-License-Identifier: MIT
// Two guards of the loop. systemd's watchdog: the loop pings from its own timer, and a loop that is stuck misses the ping. And the
// LoopMonitor, which says before that which job is to blame, and where.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <corun/loop/step_probe.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "daemon/sd/log.hpp"

namespace corund::sd {

// The period within which systemd expects a ping of this process; none where it expects none. Source: sd_watchdog_enabled(3).
std::optional<std::chrono::nanoseconds> watchdog_period();

// How often to ping for that period: at half of it, which leaves the other half for the loop's lag.
constexpr std::chrono::nanoseconds ping_interval(std::chrono::nanoseconds period) { return period / 2; }

struct LoopMonitorOptions {
  std::chrono::nanoseconds slow_step;                               // a step that lasts so long is reported
  std::optional<std::chrono::nanoseconds> watchdog_period = {};     // systemd's, to say when it is about to act
};

// What the configuration leaves open: half of systemd's period, or 5 seconds where there is no watchdog.
constexpr std::chrono::nanoseconds default_slow_step(std::optional<std::chrono::nanoseconds> period) {
  return period ? *period / 2 : std::chrono::nanoseconds(std::chrono::seconds(5));
}

// A thread that looks at the loop's probe a few times within `slow_step`, and writes to the log when the same step is still running
// after it: once, and again each time the step has lasted twice as long as at the report before, and as an error when three quarters of systemd's
// period are over. It reads the probe's atomics and nothing else of the loop's, and sleeps while the loop rests.
class LoopMonitor {
 public:
  // The probe is a loop's that was told to keep it up to date (Loop::watch_steps). Lifetime: probe and log outlive the monitor.
  LoopMonitor(corun::StepProbe& probe, Log& log, LoopMonitorOptions options);
  // Ends and joins the thread.
  ~LoopMonitor();
  LoopMonitor(const LoopMonitor&) = delete;
  LoopMonitor& operator=(const LoopMonitor&) = delete;

 private:
  void run();
  void report(std::chrono::nanoseconds lasted, bool watchdog_near);

  corun::StepProbe& probe_;
  Log& log_;
  const LoopMonitorOptions options_;
  std::mutex mutex_;
  std::condition_variable ending_;
  std::atomic<bool> ended_{false};  // written under mutex_
  std::thread thread_;
};

}  // namespace corund::sd
