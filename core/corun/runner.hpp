// SPDX-License-Identifier: MIT
// Floor 5. run() and Runner: one main coroutine at a time on a persistent loop and context, with signals and an orderly close.
#pragma once

#include <corun/loop/loop.hpp>
#include <corun/loop/signals.hpp>
#include <corun/task/context.hpp>
#include <corun/task/run_until_complete.hpp>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace corun {

// How a Runner is made. All optional.
struct RunnerOptions {
  std::optional<bool> debug = {};                                                 // unset: the environment, CORUN_DEBUG=1
  std::function<std::unique_ptr<Loop>()> loop_factory = {};                       // unset: new_event_loop()
  std::chrono::nanoseconds executor_shutdown_timeout = std::chrono::minutes(5);   // asyncio's figure
  std::chrono::nanoseconds cancel_timeout = std::chrono::minutes(5);  // how long close() waits for leftovers that swallow cancellation
  std::vector<int> interrupt_signals = {SIGINT};                      // a daemon adds SIGTERM
};

// How one run differs from the runner's others.
struct RunOptions {
  const Context* context = nullptr;  // used as is, not copied; null: the runner's own
};

// Keeps one loop and one context, and runs main coroutines on them one after the other.
//
// Life: created, initialized (lazily, by the first run() or loop()), closed. The context is a copy of the caller's, taken at the
// initialization; every run works in it, so what one run sets the next one sees.
//
// Signals, while run() is under way in the main thread and the signal's disposition was the default: the first one cancels main; let
// the CancelledError pass and run() throws KeyboardInterrupt. A later one, once the loop has delivered the earlier: KeyboardInterrupt
// leaves run() at the next step boundary, main stays pending. A later one while an earlier is still undelivered, because a step
// spins: the process dies of the signal at once.
//
// Errors: RuntimeError "Runner is closed", "Runner.run() cannot be called from a running event loop". A refused run() leaves its
// argument untouched.
// Lifetime: the Loop object lives until the Runner is destroyed. Sockets and timers made on its io_context() must be gone before.
// Source: asyncio.Runner.
class CORUN_API Runner {
 public:
  explicit Runner(RunnerOptions options = {});
  ~Runner();  // close(); what it cannot throw goes to the loop's exception handler
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Runs main to its end, and returns what it returned or throws what it threw.
  template <Awaitable A>
  auto run(A&& main, RunOptions options = {}) -> await_result_t<A> {
    const Context& context = prepare(options);
    auto task = detail::ensure_task(loop_->core(), std::forward<A>(main), {.context = &context});
    run_main(task.core());
    return detail::take_result(task);
  }

  // The loop; asyncio's get_loop(). The same one until close().
  Loop& loop();

  // In asyncio's order: cancels all tasks and waits for them, repeating while new ones appear; finishes async generators; drains the
  // executor; closes the loop. All steps run whatever one of them throws; the first error is thrown at the end.
  // A signal meanwhile ends the waiting: leftovers and threads are left with a warning, and KeyboardInterrupt is thrown at the end; a
  // second signal is the default disposition's.
  // A runner never initialized is left as it is; closing twice is closing once.
  // Errors: RuntimeError "Cannot close a running event loop", without any effect.
  void close();

 private:
  enum class State { created, initialized, closed };

  const Context& prepare(const RunOptions& options);
  void initialize();
  void run_main(detail::TaskCore& main);

  RunnerOptions options_;
  State state_ = State::created;
  std::unique_ptr<Loop> loop_;
  std::optional<Context> context_;
};

// Runs one main coroutine on a loop of its own, and closes it. Errors: as Runner::run; where main failed, an error of the close is only
// reported. Source: asyncio.run.
template <Awaitable A>
auto run(A&& main, RunnerOptions options = {}) -> await_result_t<A> {
  if (detail::thread_state.loop) throw RuntimeError("corun::run() cannot be called from a running event loop");
  Runner runner(std::move(options));
  if constexpr (std::is_void_v<await_result_t<A>>) {
    runner.run(std::forward<A>(main));
    runner.close();
  } else {
    auto result = runner.run(std::forward<A>(main));
    runner.close();
    return result;
  }
}

// For main(): runs it and gives the exit code. KeyboardInterrupt: 128 + the signal. SystemExit: its code. Another exception: its text on
// stderr, and 1.
CORUN_API int run_main(Coro<> main, RunnerOptions options = {});
CORUN_API int run_main(Coro<int> main, RunnerOptions options = {});

}  // namespace corun
