// SPDX-License-Identifier: MIT
// The door between threads, from one loop to another.
#include <corun/corun.hpp>
#include <future>
#include <thread>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;

TEST_CASE("a callback that goes to another thread's loop leaves its scope behind") {
  std::promise<corun::Loop*> running;
  std::promise<bool> had_scope;
  corun::Event over;
  std::thread other([&] {
    auto main = [&]() -> Coro<> {
      running.set_value(&corun::get_running_loop());
      co_await over.wait();
    };
    corun::run(main());
  });
  corun::Loop& there = *running.get_future().get();
  std::weak_ptr<corun::TaskScope> gone;
  auto main = [&]() -> Coro<> {
    auto scope = corun::TaskScope::create("here");
    gone = scope;
    corun::TaskOptions options;
    options.scope = scope.get();
    auto inside = [&]() -> Coro<> {
      there.call_soon_threadsafe([&] { had_scope.set_value(corun::current_scope() != nullptr); });
      for (int i = 0; i < 1000; ++i) {
        there.call_soon_threadsafe([] {});
        auto child = corun::create_task(corun::sleep(0s));
        co_await child;
      }
    };
    auto task = corun::create_task(inside(), options);
    co_await task;
  };
  corun::run(main());
  CHECK_FALSE(had_scope.get_future().get());
  CHECK(gone.expired());
  there.call_soon_threadsafe([&] { over.set(); });
  other.join();
}

TEST_CASE("a callback that goes to its own loop by that door keeps its scope") {
  auto main = []() -> Coro<> {
    auto scope = corun::TaskScope::create("here");
    corun::TaskOptions options;
    options.scope = scope.get();
    auto inside = []() -> Coro<bool> {
      corun::Future<bool> seen;
      corun::get_running_loop().call_soon_threadsafe([seen] { seen.set_result(corun::current_scope() != nullptr); });
      co_return co_await seen;
    };
    auto task = corun::create_task(inside(), options);
    bool seen = co_await task;
    CHECK(seen);
  };
  corun::run(main());
}
