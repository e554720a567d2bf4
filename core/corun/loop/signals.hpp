// SPDX-License-Identifier: MIT
// Floor 2. Signals: what happens in the handler, and who owns a signal's disposition at a time.
//
// The handler does three async-signal-safe things: count, raise the loop's attention flag, write its eventfd. Asio's signal_set is not
// used: it overwrites any disposition, and puts back the default rather than the one before.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <corun/base/export.hpp>
#include <cstdint>
#include <vector>

namespace corun::detail {

class LoopCore;

// Who wants to hear of interrupts: the Runner. Called on the loop's thread between two steps.
class InterruptSink {
 public:
  // `earlier`: how many interrupts of this run were delivered before this one. May throw KeyboardInterrupt.
  virtual void interrupted(int signal, unsigned earlier) = 0;

 protected:
  ~InterruptSink() = default;
};

// Owns the dispositions of some signals for the length of a run: a signal whose disposition is the default becomes an interrupt of this
// loop, any other (ignored, a foreign handler, another run's) is left alone. Fact 62's rule in the handler: while an earlier
// interrupt has not been delivered, a further one restores the default disposition and raises the signal again.
// Only the process's main thread gets interrupts; elsewhere this does nothing. Restores what it replaced, where it is still ours.
class CORUN_API InterruptScope {
 public:
  InterruptScope(LoopCore& loop, InterruptSink& sink, const std::vector<int>& signals);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  // For tests: what the arrival of the signal does to a loop that is under such a scope, without a signal. Errors: RuntimeError where the
  // loop is not (nothing of it runs in the main thread).
  static void simulate(LoopCore& loop, int signal);

  // Whether an interrupt came that no one has been told of.
  bool undelivered() const noexcept;
  // The signal of the latest interrupt.
  int latest() const noexcept;

 private:
  friend LoopCore;
  void deliver();

  LoopCore& loop_;
  InterruptSink& sink_;
  std::vector<std::pair<int, struct sigaction>> replaced_;
  InterruptScope* outer_ = nullptr;
};

// Installs the handler for Loop::add_signal_handler; false with errno where the kernel refuses. One loop owns a signal at a time.
bool watch_signal(LoopCore& loop, int signal);
// Gives the signal its default disposition back, as asyncio does.
void unwatch_signal(LoopCore& loop, int signal);
// The watched signals that came since the last call, as a bit mask; clears it.
std::uint64_t take_watched(LoopCore& loop);

}  // namespace corun::detail
