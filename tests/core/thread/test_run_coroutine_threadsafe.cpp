// SPDX-License-Identifier: MIT
// Fact 97 and what follows from it.
#include <corun/thread/run_coroutine_threadsafe.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <corun/corun.hpp>
#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::run_coroutine_threadsafe;
using corun::RuntimeError;
using tests::Reports;
using tests::text_of;

namespace {

// A loop that runs in a thread of its own until the end of the scope.
class LoopThread {
 public:
  LoopThread() {
    std::promise<corun::Loop*> ready;
    auto loop = ready.get_future();
    thread_ = std::thread([this, &ready] {
      corun::RunnerOptions options = tests::heard_by(reports);
      corun::Runner runner(options);
      auto main = [&]() -> Coro<> {
        stop_.emplace();
        ready.set_value(&corun::get_running_loop());
        co_await stop_->wait();
      };
      runner.run(main());
      runner.close();
    });
    loop_ = loop.get();
  }
  ~LoopThread() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    loop_->call_soon_threadsafe([this] { stop_->set(); });
    thread_.join();
  }

  corun::Loop& loop() { return *loop_; }

  Reports reports;  // to be read after stop()

 private:
  std::optional<corun::Event> stop_;
  corun::Loop* loop_ = nullptr;
  std::thread thread_;
};

Coro<int> add(int a, int b) {
  co_await corun::sleep(0s);
  co_return a + b;
}

Coro<> forever() { co_await corun::sleep(24h); }

Coro<std::thread::id> where() { co_return std::this_thread::get_id(); }

}  // namespace

TEST_CASE("97: a coroutine given to a loop by another thread runs there and its result comes back") {
  LoopThread thread;
  auto future = run_coroutine_threadsafe(add(1, 2), thread.loop());
  CHECK(future.get() == 3);
  CHECK(future.done());
  CHECK_FALSE(future.cancelled());
  CHECK(future.get() == 3);
  CHECK(future.exception() == nullptr);
  CHECK(run_coroutine_threadsafe(where(), thread.loop()).get(10s) != std::this_thread::get_id());

  auto nothing = []() -> Coro<> { co_return; };
  run_coroutine_threadsafe(nothing(), thread.loop()).get();
  auto move_only = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  CHECK(*run_coroutine_threadsafe(move_only(), thread.loop()).get() == 5);
}

TEST_CASE("97: what the coroutine throws comes back, and is not reported besides") {
  LoopThread thread;
  auto failing = []() -> Coro<int> {
    co_await corun::sleep(0s);
    throw std::runtime_error("over there");
  };
  auto future = run_coroutine_threadsafe(failing(), thread.loop());
  CHECK(text_of<std::runtime_error>([&] { future.get(); }) == "over there");
  CHECK(future.exception() != nullptr);
  thread.stop();
  CHECK(thread.reports.errors.empty());
}

TEST_CASE("an exception that nobody waits for is reported by the loop") {
  LoopThread thread;
  std::promise<void> go, failed;
  auto failing = [&]() -> Coro<> {
    go.get_future().wait();
    failed.set_value();
    throw std::runtime_error("unheard");
    co_return;
  };
  { auto dropped = run_coroutine_threadsafe(failing(), thread.loop()); }
  go.set_value();
  failed.get_future().wait();
  thread.stop();
  REQUIRE(thread.reports.errors.size() == 1);
  CHECK(thread.reports.errors[0].message == "Task exception was never retrieved");
}

TEST_CASE("97: a wait for no longer than a while leaves the coroutine alone") {
  LoopThread thread;
  auto future = run_coroutine_threadsafe(forever(), thread.loop());
  CHECK_THROWS_AS(future.get(0s), corun::TimeoutError);
  CHECK_THROWS_AS(future.get(1ms), corun::TimeoutError);
  CHECK_FALSE(future.done());
  CHECK(future.cancel());
}

TEST_CASE("97: cancelling the future cancels the task") {
  LoopThread thread;
  std::promise<void> started;
  std::promise<std::string> heard;
  auto body = [&]() -> Coro<int> {
    started.set_value();
    try {
      co_await corun::sleep(24h);
    } catch (const CancelledError& error) {
      heard.set_value(error.message());
      throw;
    }
    co_return 1;
  };
  auto future = run_coroutine_threadsafe(body(), thread.loop());
  started.get_future().wait();
  CHECK(future.cancel("enough"));
  CHECK(future.done());
  CHECK(future.cancelled());
  CHECK(text_of<CancelledError>([&] { future.get(); }) == "enough");
  CHECK_THROWS_AS(future.exception(), CancelledError);
  CHECK_FALSE(future.cancel());
  CHECK(heard.get_future().get() == "enough");
}

TEST_CASE("a coroutine that is cancelled before the loop looks at it never runs, and is not called forgotten") {
  LoopThread thread;
  std::promise<void> busy, go;
  std::atomic<bool> ran = false;
  thread.loop().call_soon_threadsafe([&] {
    busy.set_value();
    go.get_future().wait();
  });
  busy.get_future().wait();
  auto body = [&]() -> Coro<> {
    ran = true;
    co_return;
  };
  auto future = run_coroutine_threadsafe(body(), thread.loop());
  CHECK(future.cancel());
  go.set_value();
  thread.stop();
  CHECK_FALSE(ran);
  CHECK(thread.reports.warnings.empty());
}

TEST_CASE("a task that is cancelled on its loop is cancelled for the thread") {
  LoopThread thread;
  auto suicide = []() -> Coro<int> {
    corun::current_task().cancel("by itself");
    co_await corun::sleep(0s);
    co_return 1;
  };
  auto future = run_coroutine_threadsafe(suicide(), thread.loop());
  CHECK(text_of<CancelledError>([&] { future.get(); }) == "by itself");
  CHECK(future.cancelled());
}

TEST_CASE("a runner that closes cancels what came from other threads, and they hear of it") {
  LoopThread thread;
  auto future = run_coroutine_threadsafe(forever(), thread.loop());
  run_coroutine_threadsafe(add(1, 1), thread.loop()).get();  // so that the first one runs
  thread.stop();
  CHECK(future.cancelled());
  CHECK_THROWS_AS(future.get(), CancelledError);
}

TEST_CASE("a closed loop refuses, and closes the coroutine") {
  Reports reports;
  auto loop = corun::new_event_loop();
  reports.listen(*loop);
  loop->close();
  CHECK(text_of<RuntimeError>([&] { (void)run_coroutine_threadsafe(add(1, 2), *loop); }) == "Event loop is closed");
  CHECK(reports.warnings.empty());

  Coro<int> used = add(1, 2);
  used.close();
  CHECK(text_of<RuntimeError>([&] { (void)run_coroutine_threadsafe(std::move(used), *loop); }) ==
        "cannot reuse already awaited coroutine");
}

TEST_CASE("a loop that is closed before the coroutine has ended tells who waits") {
  Reports reports;
  auto loop = corun::new_event_loop();
  reports.listen(*loop);
  auto never_begun = run_coroutine_threadsafe(add(1, 2), *loop);
  SECTION("before it has begun") { loop->close(); }
  SECTION("before its first step") {
    loop->stop();
    loop->run_forever();
    loop->close();
    loop.reset();
  }
  SECTION("in the middle") {
    for (int i = 0; i < 2; ++i) {
      loop->stop();
      loop->run_forever();
    }
    loop.reset();
  }
  CHECK(text_of<RuntimeError>([&] { never_begun.get(); }) == "Event loop is closed");
  CHECK(never_begun.done());
  CHECK_FALSE(never_begun.cancel());
}

TEST_CASE("a thread that runs the loop may start a coroutine there, but not block on it") {
  auto main = []() -> Coro<> {
    auto future = run_coroutine_threadsafe(add(2, 3), corun::get_running_loop());
    CHECK(text_of<RuntimeError>([&] { future.get(); }).find("would never end") != std::string::npos);
    while (!future.done()) co_await corun::sleep(0s);
    CHECK(future.get() == 5);
  };
  corun::run(main());
}

TEST_CASE("a coroutine from another thread sees a copy of that thread's context") {
  LoopThread thread;
  static corun::ContextVar<std::string> var("var", "none");
  auto token = var.set("of the caller");
  auto body = []() -> Coro<std::string> {
    std::string seen = var.get();
    var.set("changed over there");
    co_return seen;
  };
  CHECK(run_coroutine_threadsafe(body(), thread.loop()).get() == "of the caller");
  CHECK(var.get() == "of the caller");
  var.reset(token);
}

TEST_CASE("a loop may give work to another loop from within a scope of its own") {
  LoopThread thread;
  auto main = [&]() -> Coro<int> {
    auto scope = corun::TaskScope::create("here");
    auto inside = [&]() -> Coro<int> {
      auto future = run_coroutine_threadsafe(add(20, 22), thread.loop());
      co_return co_await corun::to_thread([&] { return future.get(); });
    };
    corun::TaskOptions options;
    options.scope = scope.get();
    auto task = corun::create_task(inside(), options);
    co_return co_await task;
  };
  CHECK(corun::run(main()) == 42);
}

TEST_CASE("many threads may give, wait and cancel at the same time") {
  LoopThread thread;
  std::atomic<int> sum = 0, cancelled = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        auto future = run_coroutine_threadsafe(add(i, 1), thread.loop());
        if (i % 5 == t && future.cancel()) {
          ++cancelled;
          continue;
        }
        sum += future.get() - i;
      }
    });
  for (auto& one : threads) one.join();
  CHECK(sum + cancelled == 800);
  thread.stop();
  CHECK(thread.reports.errors.empty());
  CHECK(thread.reports.warnings.empty());
}
