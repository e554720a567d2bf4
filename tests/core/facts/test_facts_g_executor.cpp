// SPDX-License-Identifier: MIT
// Facts 89-97: the default executor and threads.
#include <atomic>
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/reports.hpp"
#include "support/signals.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::RunnerOptions;
using corun::RuntimeError;
using tests::Reports;
using tests::text_of;

namespace {

std::size_t threads_now() {
  auto tasks = std::filesystem::directory_iterator("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// The only argument that set_default_executor may be given.
template <class A>
concept DefaultExecutor = requires(corun::Loop& loop, A executor) {
  loop.set_default_executor(executor);
};

Coro<int> twice(int value) {
  co_await corun::sleep(0s);
  co_return 2 * value;
}

}  // namespace

TEST_CASE("89: run waits for jobs that run in the default pool") {
  std::promise<void> started;
  std::atomic<bool> finished{false};
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::run_in_executor(nullptr, [&] {
      started.set_value();
      std::this_thread::sleep_for(20ms);
      finished = true;
    }));
    started.get_future().wait();
    co_return 1;
  };
  CHECK(corun::run(main()) == 1);
  CHECK(finished);
}

TEST_CASE("90: queued jobs are all executed before run returns, except those whose future was cancelled") {
  std::atomic<int> executed{0};
  std::promise<void> go;
  auto gate = go.get_future().share();
  std::optional<corun::Future<>> dropped;
  auto main = [&]() -> Coro<> {
    auto& loop = corun::get_running_loop();
    loop.set_default_executor(
        std::make_shared<corun::ThreadPoolExecutor>(corun::ThreadPoolOptions{.max_workers = 1}));
    static_cast<void>(corun::run_in_executor(nullptr, [gate] { gate.wait(); }));
    for (int job = 0; job < 3; ++job) static_cast<void>(corun::run_in_executor(nullptr, [&] { ++executed; }));
    dropped = corun::run_in_executor(nullptr, [&] { executed += 100; });
    dropped->cancel();
    loop.call_later(1ms, [&] { go.set_value(); });
    co_return;
  };
  corun::run(main());
  CHECK(executed == 3);
  CHECK(dropped->cancelled());
}

TEST_CASE("91: a running job is not cancelled: the wait ends at once, the exit waits for the thread") {
  std::promise<void> go;
  std::atomic<bool> started{false}, finished{false};
  bool timed_out = false;
  auto job = [&] {
    started = true;
    go.get_future().wait();
    finished = true;
  };
  auto main = [&]() -> Coro<> {
    auto work = corun::create_task(corun::to_thread(job));
    while (!started) co_await corun::sleep(1ms);  // one that had not begun would not run at all
    try {
      co_await corun::wait_for(work, 10ms);
    } catch (const corun::TimeoutError&) {
      timed_out = true;
    }
    CHECK_FALSE(finished);
    go.set_value();
  };
  corun::run(main());
  CHECK(timed_out);
  CHECK(finished);
}

TEST_CASE("91: a job that takes a stop_token hears that nobody waits for it any more") {
  std::atomic<bool> begun{false}, stopped{false};
  auto job = [&](std::stop_token stop) {
    begun = true;
    while (!stop.stop_requested()) std::this_thread::sleep_for(1ms);
    stopped = true;
  };
  auto main = [&]() -> Coro<> {
    auto work = corun::create_task(corun::to_thread(job));
    while (!begun) co_await corun::sleep(1ms);  // one that had not begun would not run at all
    try {
      co_await corun::wait_for(work, 5ms);
    } catch (const corun::TimeoutError&) {
    }
  };
  corun::run(main());
  CHECK(stopped);
}

TEST_CASE("92: after the drain limit there is a warning, the pool is left, and run returns") {
  Reports reports;
  std::promise<void> gate;
  std::atomic<bool> left{false};
  RunnerOptions options = tests::heard_by(reports);
  options.executor_shutdown_timeout = 30ms;
  auto main = [&]() -> Coro<int> {
    static_cast<void>(corun::run_in_executor(nullptr, [&] {
      gate.get_future().wait();
      left = true;
    }));
    co_return 4;
  };
  CHECK(corun::run(main(), options) == 4);
  gate.set_value();  // the thread still runs, by itself
  while (!left) std::this_thread::yield();
  CHECK(reports.warnings ==
        std::vector<std::string>{"The executor did not finishing joining its threads within 0.03 seconds."});
}

TEST_CASE("92: what a left pool was to give back is dropped with the loop, and its jobs still run") {
  // Under the address sanitizer this is a test for leaks as well: of the futures, the jobs and the drain.
  Reports reports;
  std::promise<void> gate;
  std::atomic<bool> left{false};
  std::weak_ptr<int> running, queued;
  RunnerOptions options = tests::heard_by(reports);
  options.executor_shutdown_timeout = 0s;
  auto main = [&]() -> Coro<> {
    auto pool = std::make_shared<corun::ThreadPoolExecutor>(corun::ThreadPoolOptions{.max_workers = 1});
    corun::get_running_loop().set_default_executor(pool);
    auto held = std::make_shared<int>(1);
    running = held;
    static_cast<void>(corun::run_in_executor(nullptr, [&, held] {
      gate.get_future().wait();
      return std::string(100, 'x');
    }));
    held = std::make_shared<int>(2);
    queued = held;
    static_cast<void>(corun::run_in_executor(nullptr, [&, held] { left = true; }));
    auto waits = []() -> Coro<> { co_await corun::to_thread([] {}); };
    static_cast<void>(corun::create_task(waits()));
    co_await corun::sleep(1ms);
  };
  corun::run(main(), options);
  CHECK_FALSE(running.expired());
  CHECK_FALSE(queued.expired());
  gate.set_value();
  while (!left) std::this_thread::yield();
  while (!running.expired() || !queued.expired()) std::this_thread::yield();
  CHECK(reports.warnings_with("did not finishing joining") == 1);
  CHECK(reports.errors.empty());
}

TEST_CASE("93: the loop serves callbacks and timers while the executor is drained") {
  std::promise<void> go;
  auto main = [&]() -> Coro<> {
    static_cast<void>(corun::run_in_executor(nullptr, [&] { go.get_future().wait(); }));
    corun::get_running_loop().call_later(5ms, [&] { go.set_value(); });
    co_return;
  };
  corun::run(main());  // returns: the timer fired during the drain
  SUCCEED();
}

TEST_CASE("94: one Ctrl-C during the drain ends the process, with a job that never ends") {
  auto end = tests::in_child([] {
    pid_t here = tests::thread_id();
    std::atomic<bool> is_over = false;
    auto main = [&]() -> Coro<> {
      static_cast<void>(corun::run_in_executor(nullptr, [] {
        for (;;) std::this_thread::sleep_for(1h);
      }));
      co_await corun::sleep(0s);
      is_over = true;
    };
    std::thread keyboard([&] {
      while (!is_over) std::this_thread::yield();
      tests::wait_until_asleep(here);  // from here on in the drain only
      tests::signal_thread(here, SIGINT);
    });
    int code = corun::run_main(main());
    keyboard.join();
    return code;
  });
  CHECK(end.exit_code == 130);
}

TEST_CASE("95: after shutdown_default_executor the default pool refuses, a pool of one's own still works") {
  auto main = []() -> Coro<int> {
    co_await corun::to_thread([] {});
    co_await corun::get_running_loop().shutdown_default_executor();
    CHECK(text_of<RuntimeError>([] { static_cast<void>(corun::run_in_executor(nullptr, [] {})); }) ==
          "Executor shutdown has been called");
    auto own = std::make_shared<corun::ThreadPoolExecutor>();
    co_return co_await corun::run_in_executor(own, [] { return 5; });
  };
  CHECK(corun::run(main()) == 5);
}

TEST_CASE("96: the pool is made at its first use") {
  std::size_t before = threads_now();
  auto main = [&]() -> Coro<> {
    co_await corun::sleep(0s);
    CHECK(threads_now() == before);
    co_await corun::to_thread([] {});
    CHECK(threads_now() == before + 1);
  };
  corun::run(main());
  CHECK(threads_now() == before);
}

TEST_CASE("96: only a thread pool can be the default executor") {
  STATIC_REQUIRE(DefaultExecutor<std::shared_ptr<corun::ThreadPoolExecutor>>);
  STATIC_REQUIRE_FALSE(DefaultExecutor<std::shared_ptr<std::thread>>);
  STATIC_REQUIRE_FALSE(DefaultExecutor<int>);
  auto main = []() -> Coro<std::string> {
    corun::get_running_loop().set_default_executor(std::make_shared<corun::ThreadPoolExecutor>(
        corun::ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "mine"}));
    co_return co_await corun::to_thread([] {
      char name[16] = {};
      pthread_getname_np(pthread_self(), name, sizeof name);
      return std::string(name);
    });
  };
  CHECK(corun::run(main()).find("mine") == 0);
}

TEST_CASE("97: another thread runs a coroutine on the loop and gets its result or its error") {
  auto failing = []() -> Coro<int> {
    co_await corun::sleep(0s);
    throw std::domain_error("E");
  };
  auto main = [&]() -> Coro<> {
    auto& loop = corun::get_running_loop();
    auto work = [&] {
      auto good = corun::run_coroutine_threadsafe(twice(21), loop);
      CHECK(good.get() == 42);
      CHECK(good.done());
      auto bad = corun::run_coroutine_threadsafe(failing(), loop);
      CHECK_THROWS_AS(bad.get(), std::domain_error);
    };
    co_await corun::to_thread(work);
  };
  corun::run(main());
}

TEST_CASE("97: cancelling the thread's future cancels the task") {
  std::atomic<bool> cancelled{false};
  std::promise<void> begun;
  auto endless = [&]() -> Coro<> {
    begun.set_value();
    try {
      co_await corun::Future<>();
    } catch (const CancelledError&) {
      cancelled = true;
      throw;
    }
  };
  auto main = [&]() -> Coro<> {
    auto& loop = corun::get_running_loop();
    auto work = [&] {
      auto future = corun::run_coroutine_threadsafe(endless(), loop);
      begun.get_future().wait();
      CHECK(future.cancel());
      CHECK_THROWS_AS(future.get(), CancelledError);
    };
    co_await corun::to_thread(work);
    while (!cancelled) co_await corun::sleep(0s);
  };
  corun::run(main());
  CHECK(cancelled);
}

TEST_CASE("97: it works only while the loop is open") {
  corun::Runner runner;
  corun::Loop& loop = runner.loop();
  runner.close();
  CHECK_THROWS_AS(corun::run_coroutine_threadsafe(twice(1), loop), RuntimeError);
}
