// SPDX-License-Identifier: MIT
#include <corun/sync/barrier.hpp>
#include <algorithm>

#include "in_passes.hpp"

using namespace tests;
using corun::Barrier;
using corun::BrokenBarrierError;

namespace {

// What a party says after the barrier: its index, -1 broken, -2 cancelled.
Coro<> party(Barrier& barrier, std::vector<int>& log) {
  try {
    log.push_back(co_await barrier.wait());
  } catch (const BrokenBarrierError&) {
    log.push_back(-1);
  } catch (const CancelledError&) {
    log.push_back(-2);
    throw;
  }
}

std::vector<Task<>> parties(Barrier& barrier, int n, std::vector<int>& log) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < n; ++i) tasks.push_back(create_task(party(barrier, log)));
  return tasks;
}

constexpr corun::TaskOptions at_once{.eager_start = true};

std::vector<int> sorted(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("a barrier has at least one party") {
  CHECK(text_of<ValueError>([] { Barrier barrier(0); }) == "parties must be > 0");
  CHECK_FALSE(text_of<ValueError>([] { Barrier barrier(-3); }).empty());
  on_loop([]() -> Coro<> {
    Barrier alone(1);
    CHECK(alone.parties() == 1);
    for (int i = 0; i < 3; ++i) CHECK_AWAITED(co_await alone.wait(), 0);
  });
}

TEST_CASE("nobody passes before the last party has come, who does not suspend") {
  on_loop([]() -> Coro<> {
    Barrier barrier(4);
    std::vector<int> log;
    auto tasks = parties(barrier, 3, log);
    co_await passes(3);
    CHECK(barrier.n_waiting() == 3);
    CHECK(log.empty());
    CHECK_AWAITED(co_await barrier.wait(), 3);
    CHECK(log.empty());
    CHECK(barrier.n_waiting() == 0);
    co_await passes(1);
    CHECK(log == std::vector<int>{0, 1, 2});
    CHECK(barrier.n_waiting() == 0);
    CHECK_FALSE(barrier.broken());
    for (auto& task : tasks) co_await task;
  });
}

TEST_CASE("a barrier serves again and again, and rounds do not mix") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> rounds;
    int arrivals = 0;
    auto one = [&]() -> Coro<> {
      for (int round = 1; round <= 5; ++round) {
        ++arrivals;
        co_await barrier.wait();
        CHECK(arrivals >= 3 * round);  // all parties of this round had come
        rounds.push_back(round);
      }
    };
    auto a = create_task(one()), b = create_task(one()), c = create_task(one());
    co_await a;
    co_await b;
    co_await c;
    CHECK(rounds.size() == 15);
    CHECK(std::is_sorted(rounds.begin(), rounds.end()));
  });
}

TEST_CASE("who comes while it drains waits outside for the next round") {
  on_loop([]() -> Coro<> {
    Barrier barrier(2);
    std::vector<int> log;
    auto first = parties(barrier, 1, log);
    co_await passes(1);
    CHECK_AWAITED(co_await barrier.wait(), 1);
    auto again = create_task(barrier.wait());
    CHECK(barrier.n_waiting() == 0);
    co_await passes(3);
    CHECK(log == std::vector<int>{0});
    CHECK(barrier.n_waiting() == 1);
    CHECK_AWAITED(co_await barrier.wait(), 1);
    CHECK_AWAITED(co_await again, 0);
    co_await first[0];
  });
}

TEST_CASE("a cancelled party leaves, the barrier goes on filling, and each index is given once") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> log;
    auto early = parties(barrier, 2, log);
    co_await passes(1);
    early[0].cancel();
    CHECK_AWAITED(co_await ended(early[0]), true);
    CHECK(barrier.n_waiting() == 1);
    CHECK_FALSE(barrier.broken());
    auto late = parties(barrier, 2, log);
    for (auto& task : late) co_await task;
    co_await early[1];
    CHECK(sorted(log) == std::vector<int>{-2, 0, 1, 2});
  });
}

TEST_CASE("a party that is cancelled after the release does not hold up the others") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> log;
    auto tasks = parties(barrier, 2, log);
    co_await passes(1);
    CHECK_AWAITED(co_await barrier.wait(), 2);
    tasks[1].cancel();
    CHECK_AWAITED(co_await ended(tasks[1]), true);
    co_await tasks[0];
    CHECK(log == std::vector<int>{0, -2});
    auto next = parties(barrier, 3, log);
    for (auto& task : next) co_await task;
    CHECK(log.size() == 5);
  });
}

TEST_CASE("abort breaks the barrier for those inside and those to come, until it is reset") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> log;
    auto inside = parties(barrier, 2, log);
    co_await passes(1);
    barrier.abort();
    CHECK(barrier.broken());
    CHECK(barrier.n_waiting() == 0);
    auto late = parties(barrier, 2, log);
    co_await passes(1);
    CHECK(log == std::vector<int>{-1, -1, -1, -1});
    CHECK(text_of<BrokenBarrierError>([&] { create_task(barrier.wait(), at_once).result(); }) ==
          "Barrier aborted");
    co_await barrier.reset();  // as asyncio writes it
    CHECK_FALSE(barrier.broken());
    log.clear();
    auto again = parties(barrier, 3, log);
    for (auto& task : again) co_await task;
    CHECK(sorted(log) == std::vector<int>{0, 1, 2});
    for (auto& task : inside) co_await task;
    for (auto& task : late) co_await task;
  });
}

TEST_CASE("reset sends those inside away, those outside into the next round") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> log, next;
    auto inside = parties(barrier, 2, log);
    co_await passes(1);
    barrier.reset();
    CHECK_FALSE(barrier.broken());
    CHECK(barrier.n_waiting() == 0);
    auto outside = parties(barrier, 3, next);
    for (auto& task : outside) co_await task;
    CHECK(log == std::vector<int>{-1, -1});
    CHECK(sorted(next) == std::vector<int>{0, 1, 2});
    barrier.reset();  // nobody there: nothing happens
    CHECK(barrier.n_waiting() == 0);
    for (auto& task : inside) co_await task;
  });
}

TEST_CASE("abort and reset reach those who were released and have not run yet") {
  on_loop([]() -> Coro<> {
    Barrier barrier(3);
    std::vector<int> log, next;
    auto inside = parties(barrier, 2, log);
    co_await passes(1);
    CHECK_AWAITED(co_await barrier.wait(), 2);
    SECTION("abort") {
      auto outside = parties(barrier, 2, next);
      barrier.abort();
      co_await passes(2);
      CHECK(next == std::vector<int>{-1, -1});
      CHECK(barrier.broken());
      for (auto& task : outside) co_await task;
    }
    SECTION("reset") {
      auto outside = parties(barrier, 3, next);
      co_await barrier.reset();
      co_await passes(4);
      CHECK(sorted(next) == std::vector<int>{0, 1, 2});
      for (auto& task : outside) co_await task;
    }
    SECTION("abort, then reset") {
      co_await barrier.abort();
      co_await barrier.reset();
      auto outside = parties(barrier, 3, next);
      co_await passes(4);
      CHECK(sorted(next) == std::vector<int>{0, 1, 2});
      for (auto& task : outside) co_await task;
    }
    CHECK(log == std::vector<int>{-1, -1});
    for (auto& task : inside) co_await task;
  });
}

TEST_CASE("a cancelled wait outside a draining barrier disturbs nobody") {
  on_loop([]() -> Coro<> {
    Barrier barrier(2);
    std::vector<int> log;
    auto inside = parties(barrier, 1, log);
    co_await passes(1);
    CHECK_AWAITED(co_await barrier.wait(), 1);
    auto outside = create_task(barrier.wait(), at_once);
    SECTION("waiting") { outside.cancel(); }
    SECTION("just woken") {
      co_await inside[0];
      outside.cancel();
    }
    CHECK_AWAITED(co_await ended(outside), true);
    CHECK(barrier.n_waiting() == 0);
    auto next = parties(barrier, 2, log);
    for (auto& task : next) co_await task;
    CHECK(sorted(log) == std::vector<int>{0, 0, 1});
    co_await inside[0];
  });
}

TEST_CASE("a barrier that goes ends the wait for it") {
  on_loop([]() -> Coro<> {
    auto barrier = std::make_unique<Barrier>(3);
    std::vector<int> log;
    auto inside = parties(*barrier, 2, log);
    co_await passes(1);
    SECTION("filling") {
      barrier.reset();
      for (auto& task : inside) CHECK_AWAITED(co_await ended(task), true);
    }
    SECTION("draining") {
      CHECK_AWAITED(co_await barrier->wait(), 2);
      auto outside = create_task(barrier->wait(), at_once);
      barrier.reset();
      for (auto& task : inside) CHECK_AWAITED(co_await ended(task), true);
      CHECK_AWAITED(co_await ended(outside), true);
    }
  });
}

TEST_CASE("cancelled at every step, a party leaves a barrier that still works") {
  auto steps = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Barrier barrier(3);
    int passed = 0;
    auto one = [&](int rounds) -> Coro<> {
      for (int i = 0; i < rounds; ++i) {
        co_await barrier.wait();
        ++passed;
        co_await passes(i % 2);
      }
    };
    auto victim = create_task(one(4));
    auto a = create_task(one(4));
    auto b = create_task(one(4));
    request.aim(victim);
    co_await ended(victim);
    CHECK(victim.cancelled() == request.made());
    // Somebody fills in until the two others are through.
    while (!a.done() || !b.done()) {
      if (barrier.n_waiting() == 2) co_await barrier.wait();
      co_await passes(1);
    }
    CHECK(passed >= 8);
    CHECK(barrier.n_waiting() == 0);
    CHECK_FALSE(barrier.broken());
  });
  CHECK(steps > 4);
}
