// SPDX-License-Identifier: MIT
// Nothing is lost: queues with requests to cancel at every step and at random.
#include <corun/sync/queue.hpp>
#include <map>
#include <random>
#include <set>

#include "in_passes.hpp"

using namespace tests;
using corun::Queue;

TEST_CASE("cancelled at every step, a consumer loses no item and a producer no room") {
  bool consumer_is_victim = GENERATE(true, false);
  auto steps = cancel_everywhere([=](Disturbance& request) -> Coro<> {
    Queue<int> queue(2);
    std::vector<int> put, got;
    auto produce = [&](int from) -> Coro<> {
      for (int i = from; i < from + 5; ++i) {
        co_await queue.put(i);
        put.push_back(i);
        if (i % 2) co_await passes(1);
      }
    };
    auto consume = [&](int n, int busy) -> Coro<> {
      for (int i = 0; i < n; ++i) {
        got.push_back(co_await queue.get());
        co_await passes(busy);
        queue.task_done();
      }
    };
    auto a = create_task(produce(0)), b = create_task(produce(100));
    auto c = create_task(consume(5, 1)), d = create_task(consume(5, 2));
    Task<> victim = consumer_is_victim ? c : b;
    request.aim(victim);
    co_await ended(victim);
    CHECK(victim.cancelled() == request.made());
    // Bring the rest to its end: somebody takes what is missed, or gives it.
    for (int i = 0; i < 100; ++i) {
      if (consumer_is_victim && d.done())
        if (auto item = queue.try_get()) got.push_back(*item);
      if (!consumer_is_victim && a.done() && queue.empty() && !(c.done() && d.done())) {
        put.push_back(1000 + i);
        queue.put_nowait(1000 + i);
      }
      co_await passes(1);
    }
    for (const auto& task : {a, b, c, d}) CHECK(task.done());
    while (auto item = queue.try_get()) got.push_back(*item);
    CHECK(std::multiset<int>(put.begin(), put.end()) == std::multiset<int>(got.begin(), got.end()));
    queue.put_nowait(1);
    queue.put_nowait(2);
    CHECK(queue.full());
  });
  CHECK(steps > 4);
}

TEST_CASE("under a random load with random cancellations no item is lost and each producer's order is kept") {
  unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  on_loop([&]() -> Coro<> {
    using Item = std::pair<int, int>;  // producer, number
    Queue<Item> queue(3);
    std::vector<Item> put, got;
    int producers = 0;
    auto produce = [&]() -> Coro<> {
      int self = producers++;
      for (int i = 0; i < 30; ++i) {
        Item item(self, i);
        co_await queue.put(item);
        put.push_back(item);
        co_await passes(pick(3));
      }
    };
    auto consume = [&]() -> Coro<> {
      while (true) {
        got.push_back(co_await queue.get());
        queue.task_done();
        co_await passes(pick(3));
      }
    };
    std::vector<Task<>> makers, takers;
    for (int i = 0; i < 10; ++i) {
      makers.push_back(create_task(produce()));
      takers.push_back(create_task(consume()));
    }
    for (int round = 0; round < 1000; ++round) {
      auto& crowd = pick(2) ? makers : takers;
      auto& one = crowd[static_cast<std::size_t>(pick(10))];
      if (pick(3) == 0) one.cancel();
      if (one.done() && &crowd == &takers) one = create_task(consume());
      if (one.done() && &crowd == &makers && round < 500) one = create_task(produce());
      co_await passes(pick(3));
    }
    for (auto& task : takers)
      if (task.done()) task = create_task(consume());
    for (auto& task : makers) co_await ended(task);
    co_await queue.join();
    CHECK(queue.empty());
    CHECK(put.size() > 300);
    CHECK(std::multiset<Item>(put.begin(), put.end()) == std::multiset<Item>(got.begin(), got.end()));
    std::map<int, int> last;
    for (const Item& item : got) {
      auto [at, fresh] = last.try_emplace(item.first, item.second);
      CHECK((fresh || item.second > at->second));
      at->second = item.second;
    }
    for (auto& task : takers) task.cancel();
    for (auto& task : takers) CHECK_AWAITED(co_await ended(task), true);
  });
}
