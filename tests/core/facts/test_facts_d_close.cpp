// SPDX-License-Identifier: MIT
// Facts 46 and 76 to 79 where they meet: a signal at any step of a close, and what its warnings say.
#include <atomic>
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <functional>
#include <future>
#include <thread>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::KeyboardInterrupt;
using corun::Runner;
using corun::RunnerOptions;
using tests::Reports;

namespace {

// Swallows every cancellation.
Coro<> stubborn(std::shared_ptr<int> held) {
  static_cast<void>(held);  // lives as long as this frame
  for (;;) {
    try {
      co_await corun::sleep(1h);
    } catch (const CancelledError&) {
    }
  }
}

// Closes the runner while a SIGINT comes before that step of the close. False: the close had fewer steps.
bool close_interrupted(Runner& runner, int step) {
  corun::detail::LoopCore& core = runner.loop().core();
  int seen = 0;
  core.before_step = [&] {
    if (++seen == step) corun::detail::InterruptScope::simulate(core, SIGINT);
  };
  core.watch_steps();
  bool thrown = false;
  try {
    runner.close();
  } catch (const KeyboardInterrupt& interrupt) {
    thrown = interrupt.signal_number() == SIGINT;
  }
  core.before_step = nullptr;
  CHECK(thrown == (seen >= step));
  return seen >= step;
}

}  // namespace

TEST_CASE("46: whenever a signal comes during close, a leftover that is left is reported, once") {
  int step = 1;
  for (bool interrupted = true; interrupted; ++step) {
    CAPTURE(step);
    Reports reports;
    auto held = std::make_shared<int>(0);
    std::optional<corun::AsyncGenerator<int>> generator;
    {
      RunnerOptions options = tests::virtual_time_heard_by(reports);
      options.cancel_timeout = 90s;
      Runner runner(options);
      auto numbers = []() -> corun::AsyncGenerator<int> { co_yield 1; };
      auto main = [&]() -> Coro<> {
        static_cast<void>(corun::create_task(stubborn(held), {.name = "stubborn"}));
        generator.emplace(numbers());
        co_await generator->next();
        co_await corun::sleep(1s);
      };
      runner.run(main());
      interrupted = close_interrupted(runner, step);
    }
    CHECK(reports.warnings_with("'stubborn'") == 1);
    CHECK(reports.warnings_with("test_facts_d_close.cpp") >= 1);
    if (step == 1) CHECK(reports.warnings_with("'stubborn' was left: a signal ended the close") == 1);
    CHECK(held.use_count() == 1);
  }
  CHECK(step > 5);
}

TEST_CASE("46: whenever a signal comes during close, threads that work are left with a warning") {
  // Steps of a close with nothing but an executor to drain: the fifth is the first of the drain, which then waits.
  for (int step = 1; step <= 5; ++step) {
    CAPTURE(step);
    Reports reports;
    std::promise<void> gate;
    std::atomic<bool> left{false};
    {
      RunnerOptions options = tests::heard_by(reports);
      options.executor_shutdown_timeout = 20s;  // not reached: the signal ends it
      Runner runner(options);
      auto main = [&]() -> Coro<> {
        static_cast<void>(corun::run_in_executor(nullptr, [&] {
          gate.get_future().wait();
          left = true;
        }));
        co_return;
      };
      runner.run(main());
      auto begin = std::chrono::steady_clock::now();
      CHECK(close_interrupted(runner, step));
      CHECK(std::chrono::steady_clock::now() - begin < 10s);
    }
    CHECK(reports.warnings_with("The executor") == 1);
    gate.set_value();
    while (!left) std::this_thread::yield();
  }
}

TEST_CASE("78: a close that ends by its rounds says so, and not that a task ignored anything") {
  Reports reports;
  std::function<Coro<>()> generation = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
    }
    co_await corun::sleep(0s);
    static_cast<void>(corun::create_task(generation(), {.name = "another"}));
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(generation()));
    co_await corun::sleep(1s);
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  REQUIRE(reports.warnings.size() == 1);
  CHECK(reports.warnings[0].find("task 'another' was abandoned: after 100 rounds of cancelling, tasks still start others\n") == 0);
}

TEST_CASE("76: the time that a leftover ignored its cancellation counts from when it was asked") {
  Reports reports;
  auto held = std::make_shared<int>(0);
  auto starts_another = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
    }
    co_await corun::sleep(30s);
    static_cast<void>(corun::create_task(stubborn(held), {.name = "late"}));
    co_await corun::sleep(1s);
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(starts_another()));
    co_await corun::sleep(1s);
  };
  RunnerOptions options = tests::virtual_time_heard_by(reports);
  options.cancel_timeout = 90s;
  corun::run(main(), options);
  REQUIRE(reports.warnings.size() == 1);
  CHECK(reports.warnings[0].find("task 'late' ignored its cancellation for 59 s and was abandoned\n") == 0);
}

TEST_CASE("79: a hundred and more leftovers may each want to exit, and the close still ends") {
  int cleaned = 0;
  auto exits = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      ++cleaned;
      throw corun::SystemExit(cleaned);
    }
  };
  auto main = [&]() -> Coro<> {
    for (int i = 0; i < 250; ++i) static_cast<void>(corun::create_task(exits()));
    co_await corun::sleep(1s);
  };
  Reports reports;
  int code = 0;
  try {
    corun::run(main(), tests::virtual_time_heard_by(reports));
  } catch (const corun::SystemExit& exit) {
    code = exit.code();
  }
  CHECK(code == 1);
  CHECK(cleaned == 250);
  CHECK(reports.warnings.empty());
}
