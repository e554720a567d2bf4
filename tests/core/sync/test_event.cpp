// SPDX-License-Identifier: MIT
#include <corun/sync/event.hpp>

#include "in_passes.hpp"

using namespace tests;
using corun::Event;

TEST_CASE("waiting for an event that is set does not suspend, even where a cancellation is pending") {
  on_loop([]() -> Coro<> {
    Event event;
    CHECK_FALSE(event.is_set());
    event.set();
    CHECK(event.is_set());
    bool passed = false;
    auto task = create_task([&]() -> Coro<> {
      corun::current_task().cancel();
      co_await event.wait();
      passed = true;
      co_await passes(1);
      FAIL("the request was lost");
    });
    CHECK_AWAITED(co_await ended(task), true);
    CHECK(passed);
  });
}

TEST_CASE("set wakes all who wait, in order, even if clear follows at once") {
  on_loop([]() -> Coro<> {
    Event event;
    std::vector<int> order;
    std::vector<Task<>> tasks;
    auto one = [&](int i) -> Coro<> {
      co_await event.wait();
      order.push_back(i);
    };
    for (int i = 0; i < 4; ++i) tasks.push_back(create_task(one(i)));
    co_await passes(1);
    event.set();
    event.clear();
    CHECK_FALSE(event.is_set());
    CHECK(order.empty());
    auto late = create_task(one(4));
    co_await passes(2);
    CHECK(order == std::vector<int>{0, 1, 2, 3});
    event.set();
    event.set();
    co_await late;
    CHECK(order.back() == 4);
  });
}

TEST_CASE("a cancelled wait leaves the others alone") {
  on_loop([]() -> Coro<> {
    Event event;
    auto a = create_task(event.wait());
    auto b = create_task(event.wait());
    auto c = create_task(event.wait());
    co_await passes(1);
    b.cancel("out");
    CHECK_AWAITED(co_await ended(b), true);
    event.set();
    c.cancel();  // woken in this very instant: as in asyncio it is cancelled
    co_await a;
    CHECK_AWAITED(co_await ended(c), true);
    CHECK(text_of<CancelledError>([&] { b.result(); }) == "out");
  });
}

TEST_CASE("an event may be set before any loop runs, and by a thread through the loop's door") {
  Event early;
  early.set();
  on_loop([&]() -> Coro<> { co_await early.wait(); });

  Event event;
  auto main = [&]() -> Coro<> {
    auto& loop = corun::get_running_loop();
    co_await corun::to_thread([&] { loop.call_soon_threadsafe([&] { event.set(); }); });
    co_await event.wait();
  };
  corun::run(main());
  CHECK(event.is_set());
}

TEST_CASE("in debug mode setting an event from a foreign thread is refused") {
  Event event;
  std::string refused;
  auto main = [&]() -> Coro<> {
    auto waiter = create_task(event.wait());
    co_await passes(1);
    co_await corun::to_thread([&] { refused = text_of<RuntimeError>([&] { event.set(); }); });
    event.clear();
    event.set();
    co_await waiter;
  };
  corun::RunnerOptions options;
  options.debug = true;
  corun::run(main(), options);
  CHECK(refused.find("Non-thread-safe operation") != refused.npos);
}

TEST_CASE("an event that goes while a leftover of main waits for it ends that wait quietly") {
  Reports reports;
  std::string heard;
  auto main = [&]() -> Coro<> {
    Event event;
    auto leftover = create_task([&]() -> Coro<> {
      try {
        co_await event.wait();
      } catch (const CancelledError& error) {
        heard = error.message();
        throw;
      }
    });
    co_await passes(1);
  };
  corun::run(main(), virtual_time_heard_by(reports));
  CHECK(heard == "an event was destroyed while a task waited for it");
  CHECK(reports.errors.empty());
}
