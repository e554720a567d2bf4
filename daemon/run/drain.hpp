// SPDX-License-Identifier: MIT
// The end of running jobs at the daemon's stop: time to finish, then cancellation, then giving up. What is said about it to the
// service manager is read from here by who talks to it.
#pragma once

#include <chrono>
#include <corun/corun.hpp>
#include <string>

#include "daemon/run/admission.hpp"

namespace corund::run {

class Drain {
 public:
  enum class Phase : std::uint8_t { idle, finishing, cancelling, done };

  Drain(Admission& admission, Supervisor& supervisor) : admission_(admission), supervisor_(supervisor) {}

  // Nothing new is taken; what runs is finished, and what waits and would be lost. Durable jobs that wait are the next daemon's. Returns when
  // nothing is left.
  // Cancellation: of this wait only; the admission stays closed.
  corun::Coro<> finish_all();

  // Nothing new is taken, what only waits and is not durable is cancelled; running jobs get `grace` to finish, then are cancelled, then (each by its own
  // grace) escalated. Returns when all are over or given up.
  corun::Coro<> stop(std::chrono::nanoseconds grace);

  Phase phase() const noexcept { return phase_; }
  // When the current phase ends by itself.
  corun::time_point deadline() const noexcept { return deadline_; }
  // "waiting for 3 jobs (exec, 2 sleep), 25 s left": one line.
  std::string status() const;

 private:
  corun::Coro<> wait_until_none(std::optional<corun::time_point> until);

  Admission& admission_;
  Supervisor& supervisor_;
  Phase phase_ = Phase::idle;
  corun::time_point deadline_{};
};

}  // namespace corund::run
