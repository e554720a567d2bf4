// SPDX-License-Identifier: MIT
// Facts 15-30: the life of a Runner.
#include <algorithm>
#include <atomic>
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <functional>
#include <thread>

#include "support/catch.hpp"
#include "support/reports.hpp"
#include "support/signals.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Runner;
using corun::RunnerOptions;
using corun::RuntimeError;
using corun::Task;
using tests::Reports;
using tests::text_of;

namespace {

Coro<int> after_a_pass(int value) {
  co_await corun::sleep(0s);
  co_return value;
}

Coro<> fail_after_a_pass() {
  co_await corun::sleep(0s);
  throw std::runtime_error("E");
}

Coro<> forever(bool& cancelled) {
  try {
    co_await corun::Future<>();
  } catch (const CancelledError&) {
    cancelled = true;
    throw;
  }
}

Coro<> leave(bool& cancelled) {
  static_cast<void>(corun::create_task(forever(cancelled)));
  co_await corun::sleep(0s);
}

Coro<> count_passes(int& passes, const int& until) {
  while (passes < until) {
    ++passes;
    co_await corun::sleep(0s);
  }
}

RunnerOptions counting(int& made) {
  RunnerOptions options;
  options.loop_factory = [&made] {
    ++made;
    return corun::new_event_loop();
  };
  return options;
}

}  // namespace

TEST_CASE("15: constructing a runner has no effect") {
  tests::Disposition normal(SIGINT, SIG_DFL);
  int made = 0;
  corun::ContextVar<int> variable("variable", 0);
  Runner runner(counting(made));
  CHECK(made == 0);
  CHECK(tests::disposition_is(SIGINT, SIG_DFL));
  auto token = variable.set(1);  // seen: the context is not copied yet
  auto main = [&]() -> Coro<int> { co_return variable.get(); };
  CHECK(runner.run(main()) == 1);
  variable.reset(token);
}

TEST_CASE("16: loop makes the loop at the first call, and it is the same one until close") {
  int made = 0;
  Runner runner(counting(made));
  corun::Loop& loop = runner.loop();
  CHECK(made == 1);
  runner.run(after_a_pass(1));
  CHECK(&runner.loop() == &loop);
  CHECK(made == 1);
}

TEST_CASE("17: a scope that is left by an exception closes its runner and keeps the exception") {
  bool cancelled = false;
  auto scope = [&] {
    Runner runner;
    runner.run(leave(cancelled));
    throw std::domain_error("body");
  };
  CHECK(text_of<std::domain_error>(scope) == "body");
  CHECK(cancelled);
}

TEST_CASE("17: close throws what went wrong, the destructor reports it") {
  auto exit_when_cancelled = []() -> Coro<> {
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      throw corun::SystemExit(4);
    }
  };
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(exit_when_cancelled()));
    co_await corun::sleep(0s);
  };
  Reports reports;
  {
    Runner runner(tests::heard_by(reports));
    runner.run(main());
    CHECK_THROWS_AS(runner.close(), corun::SystemExit);
  }
  CHECK(reports.errors_with("while a Runner was closed") == 0);
  {
    Runner runner(tests::heard_by(reports));
    runner.run(main());
  }
  CHECK(reports.errors_with("while a Runner was closed") == 1);
}

TEST_CASE("18: closing a runner that was never initialized does nothing") {
  int made = 0;
  Runner runner(counting(made));
  runner.close();
  CHECK(made == 0);
  CHECK(runner.run(after_a_pass(2)) == 2);
}

TEST_CASE("19: closing twice is closing once") {
  Runner runner;
  corun::Loop& loop = runner.loop();
  runner.close();
  runner.close();
  CHECK(loop.is_closed());
}

TEST_CASE("20: a closed runner refuses everything, and the job does not run") {
  bool ran = false;
  auto main = [&]() -> Coro<> {
    ran = true;
    co_return;
  };
  Runner runner;
  runner.run(after_a_pass(1));
  runner.close();
  auto refused = main();
  CHECK(text_of<RuntimeError>([&] { runner.run(refused); }) == "Runner is closed");
  CHECK(text_of<RuntimeError>([&] { runner.loop(); }) == "Runner is closed");
  refused.close();
  CHECK_FALSE(ran);
}

TEST_CASE("21: a run refused by a closed runner does not consume the coroutine") {
  Runner closed;
  closed.loop();
  closed.close();
  Coro<int> main = after_a_pass(11);
  CHECK_THROWS_AS(closed.run(std::move(main)), RuntimeError);
  Runner other;
  CHECK(other.run(std::move(main)) == 11);
}

TEST_CASE("22: several runs share one loop, which is open in between") {
  auto main = []() -> Coro<corun::Loop*> { co_return &corun::get_running_loop(); };
  Runner runner;
  corun::Loop* first = runner.run(main());
  CHECK_FALSE(first->is_closed());
  CHECK_FALSE(first->is_running());
  CHECK(runner.run(main()) == first);
}

TEST_CASE("23: between two runs nothing progresses") {
  int passes = 0;
  const int until = 1'000'000;
  auto start = [&]() -> Coro<> {
    static_cast<void>(corun::create_task(count_passes(passes, until)));
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
  };
  Runner runner;
  runner.run(start());
  int before = passes;
  CHECK(before > 0);
  std::this_thread::sleep_for(50ms);
  CHECK(passes == before);
  runner.run(after_a_pass(0));
  CHECK(passes > before);
}

TEST_CASE("24: a leftover of one run is seen in the next, finishes there, and its result is readable") {
  corun::Runner runner;
  std::optional<Task<int>> left;
  std::optional<corun::Future<>> gate;
  auto job = [&]() -> Coro<int> {
    co_await *gate;
    co_return 5;
  };
  auto first = [&]() -> Coro<> {
    gate.emplace();
    left = corun::create_task(job());
    co_await corun::sleep(0s);
  };
  auto second = [&]() -> Coro<> {
    auto all = corun::all_tasks();
    CHECK(std::count(all.begin(), all.end(), corun::AnyTask(*left)) == 1);
    gate->set_result();
    co_await *left;
  };
  runner.run(first());
  CHECK_FALSE(left->done());
  runner.run(second());
  CHECK(left->result() == 5);
}

TEST_CASE("25: an exception or an interrupt of one run leaves the runner usable for the next") {
  tests::Disposition normal(SIGINT, SIG_DFL);
  auto interrupted = []() -> Coro<> {
    ::raise(SIGINT);
    co_await corun::Future<>();
  };
  auto exits = []() -> Coro<> {
    co_await corun::sleep(0s);
    throw corun::SystemExit(2);
  };
  Runner runner;
  CHECK_THROWS_AS(runner.run(fail_after_a_pass()), std::runtime_error);
  CHECK(runner.run(after_a_pass(1)) == 1);
  CHECK_THROWS_AS(runner.run(interrupted()), corun::KeyboardInterrupt);
  CHECK(runner.run(after_a_pass(2)) == 2);
  CHECK_THROWS_AS(runner.run(exits()), corun::SystemExit);
  CHECK(runner.run(after_a_pass(3)) == 3);
}

TEST_CASE("26: a runner that runs in one thread refuses to run in a second one") {
  Runner runner;
  std::string text;
  auto main = [&]() -> Coro<> {
    std::thread second([&] {
      Coro<int> refused = after_a_pass(1);
      text = text_of<RuntimeError>([&] { runner.run(refused); });
      refused.close();
    });
    second.join();
    co_return;
  };
  runner.run(main());
  CHECK(text == "This event loop is already running");
}

TEST_CASE("27: closing from inside is refused before any effect") {
  bool child_cancelled = false;
  Runner runner;
  auto main = [&]() -> Coro<int> {
    auto child = corun::create_task(forever(child_cancelled));
    co_await corun::sleep(0s);
    CHECK(text_of<RuntimeError>([&] { runner.close(); }) == "Cannot close a running event loop");
    CHECK(child.cancelling() == 0);
    CHECK(corun::current_task().cancelling() == 0);
    co_await corun::sleep(0s);
    co_return 1;
  };
  CHECK(runner.run(main()) == 1);
  CHECK_FALSE(child_cancelled);
  CHECK(runner.run(after_a_pass(2)) == 2);
}

TEST_CASE("28: a runner is not initialized where a loop runs, and nothing is left unclosed") {
  int made = 0;
  Reports reports;
  auto main = [&]() -> Coro<> {
    Runner inner(counting(made));
    CHECK(text_of<RuntimeError>([&] { inner.loop(); }) ==
          "Cannot run the event loop while another loop is running");
    Coro<int> refused = after_a_pass(1);
    CHECK_THROWS_AS(inner.run(refused), RuntimeError);
    refused.close();
    inner.close();
    co_return;
  };
  corun::run(main(), tests::heard_by(reports));
  CHECK(made == 0);
  CHECK(reports.warnings.empty());
  CHECK(reports.errors.empty());
}

TEST_CASE("28: an initialized runner refuses to close where another loop runs, before any effect") {
  Runner outer, inner;
  bool cancelled = false;
  inner.run(leave(cancelled));
  auto main = [&]() -> Coro<> {
    CHECK_THROWS_AS(inner.close(), RuntimeError);
    co_return;
  };
  outer.run(main());
  CHECK_FALSE(cancelled);
  CHECK_FALSE(inner.loop().is_closed());
  inner.close();
  CHECK(cancelled);
}

TEST_CASE("29: a loop stopped before main finished makes run throw, and main goes on in the next run") {
  bool finished = false;
  Runner runner;
  auto main = [&]() -> Coro<> {
    corun::get_running_loop().stop();
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
    finished = true;
  };
  CHECK(text_of<RuntimeError>([&] { runner.run(main()); }) == "Event loop stopped before Future completed.");
  CHECK_FALSE(finished);
  auto wait = []() -> Coro<> {
    for (int pass = 0; pass < 3; ++pass) co_await corun::sleep(0s);
  };
  runner.run(wait());
  CHECK(finished);
}

TEST_CASE("29: in debug mode a loop that nothing can wake says so once, with the await stack") {
  Reports reports;
  RunnerOptions options = tests::heard_by(reports);
  options.debug = true;
  Runner runner(options);
  std::optional<corun::Future<>> never;
  auto inner = [&]() -> Coro<> { co_await *never; };
  auto main = [&]() -> Coro<> {
    never.emplace();
    co_await inner();
  };
  corun::Loop& loop = runner.loop();
  pid_t here = tests::thread_id();
  std::atomic<bool> woken{false};
  std::thread rescuer([&] {
    tests::wait_until_asleep(here);
    loop.call_soon_threadsafe([&] { woken = true; });  // for nothing: the report is not repeated
    while (!woken) std::this_thread::yield();
    tests::wait_until_asleep(here);
    loop.call_soon_threadsafe([&] { never->set_result(); });
  });
  runner.run(main());
  rescuer.join();
  CHECK(reports.warnings_with("nothing can wake this loop") == 1);
  CHECK(reports.warnings_with("Call stack") == 1);
  CHECK(reports.warnings_with("test_facts_b_lifecycle.cpp") == 1);
}

TEST_CASE("29: in debug mode a loop with a timer, a thread or an operation to wait for is not called idle") {
  Reports reports;
  RunnerOptions options = tests::heard_by(reports);
  options.debug = true;
  auto main = []() -> Coro<> {
    co_await corun::sleep(2ms);
    co_await corun::to_thread([] { std::this_thread::sleep_for(5ms); });
  };
  corun::run(main(), options);
  CHECK(reports.warnings_with("nothing can wake this loop") == 0);
}

TEST_CASE("29: on the virtual clock a deadlock throws at once") {
  auto main = []() -> Coro<> {
    co_await corun::sleep(1h);
    co_await corun::Future<>();
  };
  std::string text = text_of<RuntimeError>([&] { corun::run(main(), tests::virtual_time()); });
  CHECK(text.find("deadlock") != text.npos);
  CHECK(text.find("test_facts_b_lifecycle.cpp") != text.npos);
}

TEST_CASE("30: a closed loop refuses every operation, in every thread") {
  Runner runner;
  corun::Loop& loop = runner.loop();
  runner.close();
  Coro<int> main = after_a_pass(1);
  const std::function<void()> operations[] = {
      [&] { loop.call_soon([] {}); },
      [&] { loop.call_later(1s, [] {}); },
      [&] { loop.call_at(loop.time(), [] {}); },
      [&] { loop.call_soon_threadsafe([] {}); },
      [&] { loop.run_forever(); },
      [&] { loop.run_until_complete(main); },
      [&] { loop.add_signal_handler(SIGUSR1, [] {}); },
      [&] { loop.set_default_executor(std::make_shared<corun::ThreadPoolExecutor>()); },
      [&] { loop.io_context(); },
  };
  for (const auto& operation : operations) CHECK(text_of<RuntimeError>(operation) == "Event loop is closed");
  std::string text;
  std::thread other([&] { text = text_of<RuntimeError>([&] { loop.call_soon_threadsafe([] {}); }); });
  other.join();
  CHECK(text == "Event loop is closed");
  main.close();
}

TEST_CASE("30: what needs a running loop says that there is none once it is closed") {
  Coro<int> coroutine = after_a_pass(1);
  CHECK_THROWS_AS(corun::create_task(std::move(coroutine)), RuntimeError);
  CHECK_THROWS_AS(corun::run_in_executor(nullptr, [] {}), RuntimeError);
  coroutine.close();
}
