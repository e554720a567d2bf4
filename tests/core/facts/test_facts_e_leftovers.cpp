// SPDX-License-Identifier: MIT
// Facts 71-81: what close() does with what is left.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <future>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Runner;
using corun::RunnerOptions;
using corun::Task;
using tests::Reports;
using tests::text_of;

namespace {

using Log = std::vector<std::string>;

// Waits for ever; when cancelled, cleans up for a while and writes down when it began and ended.
Coro<> clean_up_slowly(Log& log, std::string name, std::chrono::milliseconds duration) {
  bool cancelled = false;
  try {
    co_await corun::Future<>();
  } catch (const CancelledError&) {
    cancelled = true;
  }
  if (!cancelled) co_return;
  log.push_back(name + " cancelled");
  co_await corun::sleep(duration);
  log.push_back(name + " clean");
  throw CancelledError();
}

// Waits for ever; when cancelled, throws what `fail` throws.
template <class F>
Coro<> fail_when_cancelled(F fail) {
  try {
    co_await corun::Future<>();
  } catch (const CancelledError&) {
    fail();
  }
}

// A task that swallows every cancellation and counts them.
Coro<> swallow_for_ever(int& swallowed, std::shared_ptr<int> held) {
  static_cast<void>(held);  // lives as long as this frame
  for (;;) {
    try {
      co_await corun::sleep(1h);
    } catch (const CancelledError&) {
      ++swallowed;
    }
  }
}

// Two passes, so that a child has begun to wait.
Coro<> settle() {
  co_await corun::sleep(0s);
  co_await corun::sleep(0s);
}

// The order of the close, whatever the leftover's error is.
template <class F>
Log order_of_close(F leftover_error) {
  Log log;
  std::optional<corun::AsyncGenerator<int>> generator;
  std::promise<void> go;
  std::shared_ptr<int> loop_lives = std::make_shared<int>(0);
  auto numbers = [&]() -> corun::AsyncGenerator<int> {
    bool closing = false;
    try {
      co_yield 1;
    } catch (const corun::GeneratorExit&) {
      closing = true;
    }
    co_await corun::sleep(0s);
    if (closing) log.push_back("generator");
    go.set_value();
  };
  auto main = [&]() -> Coro<> {
    corun::get_running_loop().call_later(10h, [loop_lives] {});
    static_cast<void>(corun::create_task(clean_up_slowly(log, "task", 5ms)));
    static_cast<void>(corun::create_task(fail_when_cancelled(leftover_error)));
    generator.emplace(numbers());
    co_await generator->next();
    static_cast<void>(corun::run_in_executor(nullptr, [&] {
      go.get_future().wait();
      log.push_back(loop_lives.use_count() > 1 ? "executor" : "executor after the loop");
    }));
    co_await settle();
  };
  Reports reports;
  try {
    corun::run(main(), tests::heard_by(reports));  // on the real clock: a thread waits for the close
  } catch (const corun::SystemExit&) {
    log.push_back("SystemExit");
  }
  if (loop_lives.use_count() == 1) log.push_back("closed");
  return log;
}

}  // namespace

TEST_CASE("71: close cancels tasks, finishes generators, drains the executor, closes the loop, in order") {
  CHECK(order_of_close([] {}) == Log{"task cancelled", "task clean", "generator", "executor", "closed"});
}

TEST_CASE("71: the order and the closed loop stand when a step throws") {
  CHECK(order_of_close([] { throw corun::SystemExit(1); }) ==
        Log{"task cancelled", "task clean", "generator", "executor", "SystemExit", "closed"});
}

TEST_CASE("72: a child that sleeps when main returns is cancelled and done when run returns") {
  std::optional<Task<>> child;
  auto sleeper = []() -> Coro<> { co_await corun::sleep(1h); };
  auto main = [&]() -> Coro<int> {
    child = corun::create_task(sleeper());
    co_await corun::sleep(0s);
    co_return 21;
  };
  CHECK(corun::run(main()) == 21);
  CHECK(child->done());
  CHECK(child->cancelled());
}

TEST_CASE("73: all leftovers are cancelled first and then awaited together") {
  Log log;
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(clean_up_slowly(log, "a", 2s)));
    static_cast<void>(corun::create_task(clean_up_slowly(log, "b", 1s)));
    co_await settle();
  };
  corun::run(main(), tests::virtual_time());
  CHECK(log == Log{"a cancelled", "b cancelled", "b clean", "a clean"});
}

TEST_CASE("74: a leftover that fails while being cancelled is reported once, and main's value stands") {
  Reports reports;
  auto main = []() -> Coro<int> {
    static_cast<void>(
        corun::create_task(fail_when_cancelled([] { throw std::domain_error("E"); }), {.name = "leftover"}));
    co_await settle();
    co_return 3;
  };
  CHECK(corun::run(main(), tests::heard_by(reports)) == 3);
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors[0].message == "unhandled exception during corun::run() shutdown");
  CHECK(reports.errors[0].task == "leftover");
  CHECK_THROWS_AS(std::rethrow_exception(reports.errors[0].exception), std::domain_error);
}

TEST_CASE("75: a leftover that swallows the cancellation and finishes later is awaited and not reported") {
  Reports reports;
  bool finished = false;
  auto stubborn = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
    }
    co_await corun::sleep(1min);
    finished = true;
  };
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::create_task(stubborn()));
    co_await settle();
    co_return 1;
  };
  CHECK(corun::run(main(), tests::virtual_time_heard_by(reports)) == 1);
  CHECK(finished);
  CHECK(reports.errors.empty());
  CHECK(reports.warnings.empty());
}

TEST_CASE("76: a leftover that keeps swallowing is reported with its await stack, and abandoned") {
  Reports reports;
  int swallowed = 0;
  auto held = std::make_shared<int>(0);
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::create_task(swallow_for_ever(swallowed, held), {.name = "stubborn"}));
    co_await settle();
    co_return 8;
  };
  RunnerOptions options = tests::virtual_time_heard_by(reports);
  options.cancel_timeout = 90s;
  CHECK(corun::run(main(), options) == 8);
  CHECK(swallowed == 1);
  REQUIRE(reports.warnings.size() == 1);
  CHECK(reports.warnings[0].find("'stubborn' ignored its cancellation for 90 s") != std::string::npos);
  CHECK(reports.warnings[0].find("test_facts_e_leftovers.cpp") != std::string::npos);
  CHECK(reports.errors.empty());
  CHECK(held.use_count() == 1);  // its frame is gone with the loop
}

TEST_CASE("77: a leftover that never started is cancelled without its body running") {
  bool ran = false;
  std::optional<Task<>> child;
  auto body = [&]() -> Coro<> {
    ran = true;
    co_return;
  };
  // The first run is left at once by SystemExit, so that the child is scheduled and not started when the
  // close comes.
  auto main = [&]() -> Coro<> {
    child = corun::create_task(body());
    throw corun::SystemExit(1);
    co_return;
  };
  CHECK_THROWS_AS(corun::run(main()), corun::SystemExit);
  CHECK_FALSE(ran);
  CHECK(child->cancelled());
}

TEST_CASE("77: a child made in main's very last step gets its first step") {
  bool ran = false;
  bool cancelled = false;
  auto body = [&]() -> Coro<> {
    ran = true;
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    co_await corun::sleep(0s);
    static_cast<void>(corun::create_task(body()));
  };
  corun::run(main());
  CHECK(ran);
  CHECK(cancelled);
}

TEST_CASE("78: tasks that appear during the cancellation are cancelled too, round by round") {
  Reports reports;
  Log log;
  std::function<Coro<>(int)> generation = [&](int left) -> Coro<> {
    bool cancelled = false;
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cancelled = true;
    }
    if (!cancelled) co_return;
    log.push_back("cancelled " + std::to_string(left));
    co_await corun::sleep(0s);  // the close is waiting by now
    if (left > 0) static_cast<void>(corun::create_task(generation(left - 1)));
    co_await settle();  // the next generation waits by now
    throw CancelledError();
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(generation(2)));
    co_await settle();
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(log == Log{"cancelled 2", "cancelled 1", "cancelled 0"});
  CHECK(reports.errors.empty());
  CHECK(reports.warnings.empty());
}

TEST_CASE("78: rounds are bounded: a task that always leaves another one does not hold the close for ever") {
  Reports reports;
  int generations = 0;
  std::function<Coro<>()> generation = [&]() -> Coro<> {
    ++generations;
    bool cancelled = false;
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cancelled = true;
    }
    if (!cancelled) co_return;
    co_await corun::sleep(0s);
    static_cast<void>(corun::create_task(generation()));
    co_await settle();
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(generation()));
    co_await settle();
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(generations > 2);
  CHECK(reports.warnings.size() == 1);
}

TEST_CASE("79: a leftover's SystemExit leaves run, and the remaining steps of the close still run") {
  Log log;
  std::optional<corun::AsyncGenerator<int>> generator;
  std::atomic<bool> worked{false};
  auto numbers = [&]() -> corun::AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const corun::GeneratorExit&) {
      log.push_back("generator");
      throw;
    }
  };
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::create_task(fail_when_cancelled([] { throw corun::SystemExit(5); })));
    static_cast<void>(corun::create_task(clean_up_slowly(log, "other", 1s)));
    generator.emplace(numbers());
    co_await generator->next();
    static_cast<void>(corun::run_in_executor(nullptr, [&] { worked = true; }));
    co_await settle();
    co_return 1;
  };
  Reports reports;
  int code = 0;
  try {
    corun::run(main(), tests::virtual_time_heard_by(reports));
  } catch (const corun::SystemExit& exit) {
    code = exit.code();
  }
  CHECK(code == 5);
  CHECK(log == Log{"other cancelled", "other clean", "generator"});
  CHECK(worked);
}

TEST_CASE("80: main's error leaves run, a leftover's is only reported") {
  Reports reports;
  auto main = []() -> Coro<> {
    static_cast<void>(corun::create_task(fail_when_cancelled([] { throw std::domain_error("E2"); })));
    co_await settle();
    throw std::runtime_error("E1");
  };
  CHECK(text_of<std::runtime_error>([&] { corun::run(main(), tests::heard_by(reports)); }) == "E1");
  CHECK(reports.errors.size() == 1);
  CHECK(reports.errors_with("shutdown") == 1);
}

TEST_CASE("80: an error of the close is only reported where main failed") {
  Reports reports;
  auto main = []() -> Coro<> {
    static_cast<void>(corun::create_task(fail_when_cancelled([] { throw corun::SystemExit(2); })));
    co_await settle();
    throw std::runtime_error("E1");
  };
  CHECK(text_of<std::runtime_error>([&] { corun::run(main(), tests::heard_by(reports)); }) == "E1");
}

TEST_CASE("81: finished tasks are not touched, and a cancelled leftover is not reported") {
  Reports reports;
  std::optional<Task<int>> finished;
  std::optional<Task<>> cancelled;
  auto quick = []() -> Coro<int> { co_return 4; };
  auto sleeper = []() -> Coro<> { co_await corun::sleep(1h); };
  auto main = [&]() -> Coro<> {
    finished = corun::create_task(quick());
    cancelled = corun::create_task(sleeper());
    co_await settle();
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(finished->result() == 4);
  CHECK(finished->cancelling() == 0);
  CHECK(cancelled->cancelled());
  CHECK(reports.errors.empty());
  CHECK(reports.warnings.empty());
}
