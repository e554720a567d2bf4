// SPDX-License-Identifier: MIT
// Facts 82-88: async generators that were not iterated to their end.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::AsyncGenerator;
using corun::Coro;
using corun::GeneratorExit;
using corun::RuntimeError;
using tests::Reports;
using tests::text_of;

namespace {

using Log = std::vector<std::string>;

// Yields 1, 2, 3. Closed half-way it cleans up for a second and writes that down.
AsyncGenerator<int> numbers(Log& log, std::string name = "numbers") {
  std::exception_ptr exit;
  try {
    for (int n = 1; n <= 3; ++n) co_yield n;
  } catch (const GeneratorExit&) {
    exit = std::current_exception();
    log.push_back(name + " closing");
  }
  if (!exit) co_return;
  co_await corun::sleep(1s);
  log.push_back(name + " closed");
  std::rethrow_exception(exit);
}

AsyncGenerator<int> failing_clean_up() {
  try {
    co_yield 1;
  } catch (const GeneratorExit&) {
    throw std::domain_error("E");
  }
}

AsyncGenerator<int> never_stops() {
  for (;;) {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
  }
}

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

}  // namespace

TEST_CASE("82: a generator that is alive at close is finished, with the awaits of its clean-up") {
  Log log;
  std::optional<AsyncGenerator<int>> kept;
  auto leftover = [&]() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const corun::CancelledError&) {
      log.push_back("task");
      throw;
    }
  };
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::create_task(leftover()));
    kept.emplace(numbers(log));
    auto first = co_await kept->next();
    co_await corun::sleep(0s);
    co_return *first;
  };
  CHECK(corun::run(main(), tests::virtual_time()) == 1);
  CHECK(log == Log{"task", "numbers closing", "numbers closed"});
}

TEST_CASE("82: aclose finishes a generator by hand, and afterwards there is nothing left to give") {
  Log log;
  auto main = [&]() -> Coro<> {
    auto generator = numbers(log);
    co_await generator.next();
    co_await generator.aclose();
    CHECK(log == Log{"numbers closing", "numbers closed"});
    auto after = co_await generator.next();
    CHECK_FALSE(after.has_value());
    co_await generator.aclose();
  };
  corun::run(main(), tests::virtual_time());
  CHECK(log.size() == 2);
}

TEST_CASE("83: a generator is finished when main failed") {
  Log log;
  std::optional<AsyncGenerator<int>> kept;
  auto main = [&]() -> Coro<> {
    kept.emplace(numbers(log));
    co_await kept->next();
    throw std::runtime_error("main");
  };
  CHECK(text_of<std::runtime_error>([&] { corun::run(main(), tests::virtual_time()); }) == "main");
  CHECK(log == Log{"numbers closing", "numbers closed"});
}

TEST_CASE("83: a generator is finished when the task that consumed it died of an error") {
  Log log;
  Reports reports;
  std::optional<AsyncGenerator<int>> kept;
  auto consumer = [&]() -> Coro<> {
    kept.emplace(numbers(log));
    while (auto n = co_await kept->next())
      if (*n == 2) throw std::runtime_error("consumer");
  };
  auto main = [&]() -> Coro<> {
    auto task = corun::create_task(consumer());
    co_await passes(3);
    CHECK(task.exception() != nullptr);
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  CHECK(log == Log{"numbers closing", "numbers closed"});
  CHECK(reports.errors.empty());
}

TEST_CASE("84: a generator that was never iterated has nothing to finish") {
  Log log;
  Reports reports;
  std::optional<AsyncGenerator<int>> kept;
  auto main = [&]() -> Coro<> {
    kept.emplace(numbers(log));
    auto dropped = numbers(log);
    co_return;
  };
  corun::run(main(), tests::heard_by(reports));
  kept.reset();
  CHECK(log.empty());
  CHECK(reports.errors.empty());
  CHECK(reports.warnings.empty());
}

TEST_CASE("85: a clean-up that fails is reported, and the other generators are closed, all at once") {
  Log log;
  Reports reports;
  std::optional<AsyncGenerator<int>> a, b, bad;
  corun::time_point begin;
  corun::Runner runner(tests::virtual_time_heard_by(reports));
  auto main = [&]() -> Coro<> {
    a.emplace(numbers(log, "a"));
    bad.emplace(failing_clean_up());
    b.emplace(numbers(log, "b"));
    co_await a->next();
    co_await bad->next();
    co_await b->next();
    begin = corun::get_running_loop().time();
  };
  runner.run(main());
  corun::Loop& its_loop = runner.loop();
  runner.close();
  CHECK(log == Log{"a closing", "b closing", "a closed", "b closed"});
  CHECK(its_loop.time() - begin == 1s);  // both clean-ups in the same second
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors[0].message.find("an error occurred during closing of asynchronous generator") == 0);
  CHECK(reports.errors[0].generator == "failing_clean_up");
  CHECK_THROWS_AS(std::rethrow_exception(reports.errors[0].exception), std::domain_error);
}

TEST_CASE("86: a generator that yields again while it is closed is reported") {
  Reports reports;
  std::optional<AsyncGenerator<int>> kept;
  auto main = [&]() -> Coro<> {
    kept.emplace(never_stops());
    co_await kept->next();
  };
  corun::run(main(), tests::heard_by(reports));
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors[0].generator == "never_stops");
  CHECK(text_of<RuntimeError>([&] { std::rethrow_exception(reports.errors[0].exception); }) ==
        "async generator ignored GeneratorExit");
}

TEST_CASE("86: aclose throws it to its caller") {
  auto main = []() -> Coro<> {
    auto generator = never_stops();
    co_await generator.next();
    co_await generator.aclose();
  };
  Reports reports;
  CHECK(text_of<RuntimeError>([&] { corun::run(main(), tests::heard_by(reports)); }) ==
        "async generator ignored GeneratorExit");
}

TEST_CASE("87: a generator dropped half-way is closed by the loop in a task of its own, a pass later") {
  Log log;
  auto main = [&]() -> Coro<> {
    {
      auto generator = numbers(log);
      while (auto n = co_await generator.next())
        if (*n == 2) break;
    }
    CHECK(log.empty());  // not on the spot
    CHECK(corun::all_tasks().size() == 2);
    co_await passes(2);
    CHECK(log == Log{"numbers closing"});
    co_await corun::sleep(2s);
    CHECK(log == Log{"numbers closing", "numbers closed"});
  };
  corun::run(main(), tests::virtual_time());
}

TEST_CASE("87: a generator dropped in main's last step is still closed before run returns") {
  Log log;
  auto main = [&]() -> Coro<> {
    auto generator = numbers(log);
    co_await generator.next();
  };
  corun::run(main(), tests::virtual_time());
  CHECK(log.size() >= 1);
  CHECK(log[0] == "numbers closing");
}

TEST_CASE("87: a generator that outlives its loop is destroyed with its handle") {
  auto held = std::make_shared<int>(0);
  auto endless = [](std::shared_ptr<int> value) -> AsyncGenerator<int> {
    for (;;) {
      try {
        co_yield *value;
      } catch (const GeneratorExit&) {
        co_return;
      }
    }
  };
  std::optional<AsyncGenerator<int>> kept;
  auto main = [&]() -> Coro<> {
    kept.emplace(endless(held));
    co_await kept->next();
  };
  corun::run(main());
  kept.reset();
  CHECK(held.use_count() == 1);
}

TEST_CASE("88: a first iteration after shutdown_asyncgens gives a warning") {
  Log log;
  Reports reports;
  auto main = [&]() -> Coro<> {
    auto before = numbers(log, "before");
    co_await before.next();
    co_await corun::get_running_loop().shutdown_asyncgens();
    CHECK(log == Log{"before closing", "before closed"});
    CHECK(reports.warnings.empty());
    auto late = numbers(log, "late");
    auto first = co_await late.next();
    CHECK(*first == 1);
    CHECK(reports.warnings_with("was scheduled after loop.shutdown_asyncgens() call") == 1);
    co_await late.aclose();
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
}
