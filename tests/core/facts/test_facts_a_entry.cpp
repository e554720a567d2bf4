// SPDX-License-Identifier: MIT
// Facts 1-14: the entry point and its arguments.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <cstdlib>
#include <memory>
#include <thread>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;
using corun::Runner;
using corun::RunnerOptions;
using corun::RuntimeError;
using tests::Reports;
using tests::text_of;

namespace {

// What may be given to run().
template <class A>
concept Runnable = requires(A&& main) {
  corun::run(static_cast<A&&>(main));
};

// An awaitable of a user's own.
class Wrapped {
 public:
  explicit Wrapped(Coro<int> inner) : inner_(std::move(inner)) {}
  auto operator co_await() { return inner_.operator co_await(); }

 private:
  Coro<int> inner_;
};

Coro<int> after_a_pass(int value) {
  co_await corun::sleep(0s);
  co_return value;
}

Coro<bool> is_debug() { co_return corun::get_running_loop().debug(); }

// The environment for the length of a scope; null: unset.
class DebugVariable {
 public:
  explicit DebugVariable(const char* value) {
    if (const char* now = std::getenv("CORUN_DEBUG")) before_ = now;
    value ? ::setenv("CORUN_DEBUG", value, 1) : ::unsetenv("CORUN_DEBUG");
  }
  ~DebugVariable() { before_ ? ::setenv("CORUN_DEBUG", before_->c_str(), 1) : ::unsetenv("CORUN_DEBUG"); }
  DebugVariable(const DebugVariable&) = delete;
  DebugVariable& operator=(const DebugVariable&) = delete;

 private:
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("1: run returns what the coroutine returns") { CHECK(corun::run(after_a_pass(42)) == 42); }

TEST_CASE("2: the very exception that main throws leaves run") {
  const void* thrown = nullptr;
  auto main = [&]() -> Coro<> {
    co_await corun::sleep(0s);
    try {
      throw std::runtime_error("E");
    } catch (std::runtime_error& error) {
      thrown = &error;
      throw;
    }
  };
  const void* caught = nullptr;
  try {
    corun::run(main());
  } catch (std::runtime_error& error) {
    caught = &error;
  }
  CHECK(caught != nullptr);
  CHECK(caught == thrown);
}

TEST_CASE("3: run takes any awaitable: a user's own, a task or a future of the runner's loop") {
  CHECK(corun::run(Wrapped(after_a_pass(7))) == 7);

  Runner runner;
  std::optional<corun::Task<int>> task;
  std::optional<corun::Future<int>> future;
  auto prepare = [&]() -> Coro<> {
    task = corun::create_task(after_a_pass(8));
    future.emplace();
    co_return;
  };
  runner.run(prepare());
  CHECK(runner.run(*task) == 8);
  runner.loop().call_soon([&] { future->set_result(9); });
  CHECK(runner.run(*future) == 9);
}

TEST_CASE("3: run refuses a task of another loop and leaves it alone") {
  Runner owner, other;
  std::optional<corun::Task<int>> task;
  auto prepare = [&]() -> Coro<> {
    task = corun::create_task(after_a_pass(8));
    co_return;
  };
  owner.run(prepare());
  CHECK_THROWS_AS(other.run(*task), corun::ValueError);
  CHECK(owner.run(*task) == 8);
}

TEST_CASE("4: what is not awaitable does not compile") {
  auto lambda = [] {};
  STATIC_REQUIRE(Runnable<Coro<int>>);
  STATIC_REQUIRE(Runnable<Coro<>>);
  STATIC_REQUIRE(Runnable<corun::Task<int>&>);
  STATIC_REQUIRE(Runnable<corun::Future<int>>);
  STATIC_REQUIRE(Runnable<Wrapped>);
  STATIC_REQUIRE_FALSE(Runnable<int>);
  STATIC_REQUIRE_FALSE(Runnable<const char*>);
  STATIC_REQUIRE_FALSE(Runnable<decltype(lambda)>);
  static_cast<void>(lambda);
}

TEST_CASE("5: a run refused because a loop runs comes before the initialization") {
  int made = 0;
  RunnerOptions options;
  options.loop_factory = [&] {
    ++made;
    return corun::new_event_loop();
  };
  Runner inner(options);
  auto main = [&]() -> Coro<int> {
    Coro<int> refused = after_a_pass(1);
    CHECK_THROWS_AS(inner.run(refused), RuntimeError);
    refused.close();
    co_return made;
  };
  CHECK(corun::run(main()) == 0);
  CHECK(inner.run(after_a_pass(2)) == 2);
  CHECK(made == 1);
}

TEST_CASE("6: run inside a running loop is refused before a loop is made") {
  int made = 0;
  std::string text;
  auto main = [&]() -> Coro<> {
    RunnerOptions options;
    options.loop_factory = [&] {
      ++made;
      return corun::new_event_loop();
    };
    Coro<int> refused = after_a_pass(1);
    text = text_of<RuntimeError>([&] { corun::run(std::move(refused), options); });
    refused.close();
    co_return;
  };
  corun::run(main());
  CHECK(text.find("cannot be called from a running event loop") != text.npos);
  CHECK(made == 0);
}

TEST_CASE("7: a runner refuses to run inside itself, and the refused coroutine is never awaited") {
  Reports reports;
  bool ran = false;
  std::string text;
  {
    Runner runner(tests::heard_by(reports));
    auto inner = [&]() -> Coro<> {
      ran = true;
      co_return;
    };
    auto main = [&]() -> Coro<> {
      auto refused = inner();
      runner.run(refused);
      co_return;
    };
    text = text_of<RuntimeError>([&] { runner.run(main()); });
  }
  CHECK(text == "Runner.run() cannot be called from a running event loop");
  CHECK_FALSE(ran);
  CHECK(reports.warnings_with("was never awaited") == 1);
}

TEST_CASE("8: another thread may run a loop of its own at the same time") {
  corun::Loop* here = nullptr;
  corun::Loop* there = nullptr;
  int result = 0;
  auto main = [&]() -> Coro<> {
    here = &corun::get_running_loop();
    auto other_main = [&]() -> Coro<int> {
      there = &corun::get_running_loop();
      co_return co_await after_a_pass(5);
    };
    std::thread other([&] { result = corun::run(other_main()); });
    other.join();
    CHECK(&corun::get_running_loop() == here);
    co_return;
  };
  corun::run(main());
  CHECK(result == 5);
  CHECK(here != there);
}

TEST_CASE("9: each run has a fresh loop and closes it") {
  auto kept = std::make_shared<int>(0);
  auto main = [&]() -> Coro<std::string> {
    // The timer dies with the loop it waits on.
    corun::get_running_loop().call_later(1h, [kept] {});
    co_return corun::current_task().name();
  };
  CHECK(corun::run(main()) == corun::run(main()));  // a loop numbers its tasks from the start
  CHECK(kept.use_count() == 1);
  CHECK(text_of<RuntimeError>([] { corun::get_running_loop(); }) == "no running event loop");
}

TEST_CASE("10: the loop factory is called once, lazily, and its loop is closed at the end") {
  int made = 0;
  corun::Loop* product = nullptr;
  RunnerOptions options;
  options.loop_factory = [&] {
    ++made;
    auto loop = corun::new_event_loop();
    product = loop.get();
    return loop;
  };
  Runner runner(options);
  CHECK(made == 0);
  auto main = []() -> Coro<corun::Loop*> { co_return &corun::get_running_loop(); };
  CHECK(runner.run(main()) == product);
  CHECK(runner.run(main()) == product);
  CHECK(made == 1);
  CHECK_FALSE(product->is_closed());
  runner.close();
  CHECK(product->is_closed());
}

TEST_CASE("11: a thread has a running loop during each run, and none between and after") {
  Runner runner;
  auto main = []() -> Coro<corun::Loop*> {
    co_await corun::sleep(0s);
    co_return &corun::get_running_loop();
  };
  for (int run = 0; run < 2; ++run) {
    CHECK(runner.run(main()) == &runner.loop());
    CHECK_THROWS_AS(corun::get_running_loop(), RuntimeError);
  }
  runner.close();
  CHECK_THROWS_AS(corun::get_running_loop(), RuntimeError);
}

TEST_CASE("12: what the loop factory throws leaves run and loop, and it is tried again") {
  int calls = 0;
  RunnerOptions options;
  options.loop_factory = [&]() -> std::unique_ptr<corun::Loop> {
    if (++calls < 4) throw std::domain_error("no loop today");
    return corun::new_event_loop();
  };
  Runner runner(options);
  Coro<int> main = after_a_pass(3);
  CHECK_THROWS_AS(runner.run(main), std::domain_error);
  CHECK_THROWS_AS(runner.loop(), std::domain_error);
  CHECK_THROWS_AS(runner.run(std::move(main)), std::domain_error);
  CHECK(runner.run(std::move(main)) == 3);
  CHECK(calls == 4);
}

TEST_CASE("12: a factory that makes no loop is an error, and the runner stays as it was") {
  bool none = true;
  RunnerOptions options;
  options.loop_factory = [&] { return none ? nullptr : corun::new_event_loop(); };
  Runner runner(options);
  CHECK_THROWS_AS(runner.loop(), RuntimeError);
  none = false;
  CHECK(runner.run(after_a_pass(3)) == 3);
}

TEST_CASE("13: main's result is only passed on: no copy, no output operator") {
  struct Opaque {
    std::unique_ptr<int> value;
  };
  auto main = []() -> Coro<Opaque> {
    co_await corun::sleep(0s);
    co_return Opaque{std::make_unique<int>(6)};
  };
  RunnerOptions options;
  options.debug = true;
  Opaque result = corun::run(main(), options);
  CHECK(*result.value == 6);
}

TEST_CASE("14: debug unset is the environment's, set it overrides the environment") {
  auto with = [](std::optional<bool> debug) {
    RunnerOptions options;
    options.debug = debug;
    return corun::run(is_debug(), options);
  };
  {
    DebugVariable none(nullptr);
    CHECK_FALSE(with(std::nullopt));
    CHECK(with(true));
    CHECK_FALSE(with(false));
  }
  {
    DebugVariable on("1");
    CHECK(with(std::nullopt));
    CHECK(with(true));
    CHECK_FALSE(with(false));
  }
  {
    DebugVariable empty("");
    CHECK_FALSE(with(std::nullopt));
  }
}

TEST_CASE("14: debug unset leaves alone what the factory has set on its loop") {
  DebugVariable none(nullptr);
  RunnerOptions options;
  options.loop_factory = [] {
    auto loop = corun::new_event_loop();
    loop->set_debug(true);
    return loop;
  };
  CHECK(corun::run(is_debug(), options));
  options.debug = false;
  CHECK_FALSE(corun::run(is_debug(), options));
}
