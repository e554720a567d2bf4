// SPDX-License-Identifier: MIT
// Each primitive while main, which works along with others, is cancelled or interrupted at every step. The others outlive main: one that
// misses a wakeup, an item or a permit is found as a task that is left. The same with the request aimed at one of many stands in
// tests/core/sync, beside each primitive.
#include <corun/corun.hpp>
#include <set>

#include "testing/everywhere.hpp"

using namespace std::chrono_literals;
using corun::Coro;
using corun::create_task;
using corun::Task;
using corun::testing::Disturbance;
using corun::testing::EveryStepOptions;
using tests::cancel_everywhere;
using tests::disturb_everywhere;

namespace {

Coro<> passes(int n) {
  for (int i = 0; i < n; ++i) co_await corun::sleep(0s);
}

// What outlives main: the primitive, and who else uses it. Made anew by each run.
template <class P>
struct Shared {
  template <class... A>
  explicit Shared(A... arguments) : primitive(arguments...) {}
  P primitive;
  std::vector<corun::AnyTask> others;
  int inside = 0;
  int rounds = 0;
};

struct Inside {
  int& count;
  explicit Inside(int& c) : count(++c) {}
  ~Inside() { --count; }
};

template <class P>
EveryStepOptions afterwards(std::optional<Shared<P>>& shared, std::function<void(Shared<P>&)> look) {
  EveryStepOptions options;
  options.check = [&shared, look] {
    if (!shared) return;  // main never began
    for (auto& task : shared->others) CHECK(task.done());
    CHECK(shared->inside == 0);
    look(*shared);
    shared.reset();
  };
  return options;
}

// Runs a few rounds inside of a lock, a semaphore or a condition.
template <class P>
Coro<> rounds(Shared<P>& shared, int n, int busy) {
  for (int i = 0; i < n; ++i) {
    co_await shared.primitive.with([&]() -> Coro<> {
      Inside here(shared.inside);
      co_await passes(busy);
    });
    ++shared.rounds;
  }
}

// Producers and consumers of the same number of items, less what main did not do.
template <class Q>
std::size_t disturb_queue() {
  std::optional<Shared<Q>> shared;
  std::multiset<int> put, got;
  auto produce = [&](int from, int n) -> Coro<> {
    for (int i = from; i < from + n; ++i) {
      co_await shared->primitive.put(i);
      put.insert(i);
      if (i % 2) co_await passes(1);
    }
  };
  auto consume = [&](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) {
      got.insert(co_await shared->primitive.get());
      shared->primitive.task_done();
      co_await passes(i % 2);
    }
  };
  auto body = [&]() -> Coro<> {
    shared.emplace(std::size_t{2});
    put.clear();
    got.clear();
    shared->others = {create_task(produce(0, 4)), create_task(consume(4))};
    co_await produce(100, 3);
    co_await consume(3);
    co_await shared->primitive.join();
  };
  auto options = afterwards<Q>(shared, [&](Shared<Q>& left) {
    while (auto item = left.primitive.try_get()) got.insert(*item);
    CHECK(put == got);
    CHECK(left.primitive.try_put(1));
    CHECK(left.primitive.try_put(2));
    CHECK(left.primitive.full());
  });
  return disturb_everywhere(body, options);
}

}  // namespace

TEST_CASE("at every step: an event wakes all who wait") {
  std::optional<Shared<corun::Event>> shared;
  // Outside of main's frame, like every callable below whose coroutine outlives main.
  auto waits = [&]() -> Coro<> {
    Inside here(shared->inside);
    co_await shared->primitive.wait();
  };
  auto sets = [&]() -> Coro<> {
    co_await passes(3);
    shared->primitive.set();
  };
  auto body = [&]() -> Coro<> {
    shared.emplace();
    shared->others = {create_task(waits()), create_task(sets()), create_task(waits())};
    co_await waits();
    co_await passes(1);
  };
  auto options = afterwards<corun::Event>(shared, [](auto& left) { CHECK(left.primitive.is_set()); });
  CHECK(disturb_everywhere(body, options) > 6);
}

TEST_CASE("at every step: a lock is never left held, nor a turn lost") {
  std::optional<Shared<corun::Lock>> shared;
  auto body = [&]() -> Coro<> {
    shared.emplace();
    shared->others = {create_task(rounds(*shared, 3, 1)), create_task(rounds(*shared, 3, 0))};
    co_await rounds(*shared, 3, 2);
  };
  auto options = afterwards<corun::Lock>(shared, [](auto& left) {
    CHECK_FALSE(left.primitive.locked());
    CHECK(left.rounds >= 6);
  });
  CHECK(disturb_everywhere(body, options) > 10);
}

TEST_CASE("at every step: a lock that is acquired by hand") {
  std::optional<Shared<corun::Lock>> shared;
  auto by_hand = [&](int busy) -> Coro<> {
    co_await shared->primitive.acquire();
    struct Release {
      corun::Lock& lock;
      ~Release() { lock.release(); }
    } release{shared->primitive};
    Inside here(shared->inside);
    co_await passes(busy);
  };
  auto body = [&]() -> Coro<> {
    shared.emplace();
    shared->others = {create_task(by_hand(2)), create_task(by_hand(0))};
    co_await by_hand(1);
    co_await by_hand(1);
  };
  auto options = afterwards<corun::Lock>(shared, [](auto& left) { CHECK_FALSE(left.primitive.locked()); });
  CHECK(disturb_everywhere(body, options) > 8);
}

TEST_CASE("at every step: a semaphore's permits all come back") {
  std::optional<Shared<corun::BoundedSemaphore>> shared;
  auto body = [&]() -> Coro<> {
    shared.emplace(2);
    for (int busy : {0, 1, 2}) shared->others.push_back(create_task(rounds(*shared, 3, busy)));
    co_await rounds(*shared, 3, 1);
  };
  auto options = afterwards<corun::BoundedSemaphore>(shared, [](auto& left) {
    CHECK_FALSE(left.primitive.locked());
    CHECK_THROWS_AS(left.primitive.release(), corun::ValueError);  // all are there
  });
  CHECK(disturb_everywhere(body, options) > 10);
}

TEST_CASE("at every step: a condition's lock is never left held, nor a notification lost") {
  std::optional<Shared<corun::Condition>> shared;
  int items = 0;
  auto consume = [&](int n) -> Coro<> {
    for (int i = 0; i < n; ++i)
      co_await shared->primitive.with([&]() -> Coro<> {
        Inside here(shared->inside);
        struct Held {
          corun::Condition& condition;
          ~Held() { CHECK(condition.locked()); }  // however the wait ended
        } held{shared->primitive};
        co_await shared->primitive.wait_for([&] { return items > 0; });
        --items;
        ++shared->rounds;
      });
  };
  auto produce = [&](int n) -> Coro<> {
    for (int i = 0; i < n; ++i) {
      co_await shared->primitive.with([&]() -> Coro<> {
        ++items;
        shared->primitive.notify(1);  // one per item: one that is lost is missed
        co_await passes(i % 2);
      });
      co_await passes(1);
    }
  };
  auto body = [&]() -> Coro<> {
    shared.emplace();
    items = 0;
    shared->others = {create_task(consume(3)), create_task(produce(5))};
    co_await consume(2);
  };
  auto options = afterwards<corun::Condition>(shared, [&](auto& left) {
    CHECK_FALSE(left.primitive.locked());
    CHECK(left.rounds + items == 5);
  });
  CHECK(disturb_everywhere(body, options) > 6);
}

TEST_CASE("at every step: a barrier goes on without who left it") {
  std::optional<Shared<corun::Barrier>> shared;
  auto meets = [&]() -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      co_await shared->primitive.wait();
      ++shared->rounds;
    }
  };
  // Whoever comes when main has left: the other party's rounds all end.
  auto fills_in = [&]() -> Coro<> {
    auto other = shared->others.front();
    for (int i = 0; i < 20 && !other.done(); ++i) {
      co_await passes(3);
      if (shared->primitive.n_waiting() == 1) co_await shared->primitive.wait();
    }
  };
  auto body = [&]() -> Coro<> {
    shared.emplace(2);
    shared->others = {create_task(meets())};
    shared->others.push_back(create_task(fills_in()));
    co_await meets();
  };
  auto options = afterwards<corun::Barrier>(shared, [](auto& left) {
    CHECK(left.primitive.n_waiting() == 0);
    CHECK_FALSE(left.primitive.broken());
    CHECK(left.rounds >= 2);
  });
  CHECK(disturb_everywhere(body, options) >= 4);
}

TEST_CASE("at every step: a queue loses no item and no room") { CHECK(disturb_queue<corun::Queue<int>>() > 10); }

TEST_CASE("at every step: a priority queue loses no item and no room") {
  CHECK(disturb_queue<corun::PriorityQueue<int>>() > 10);
}

TEST_CASE("at every step: a last-in-first-out queue loses no item and no room") {
  CHECK(disturb_queue<corun::LifoQueue<int>>() > 10);
}

TEST_CASE("at every step: a queue that is shut down lets everybody go") {
  using Queue = corun::Queue<int>;
  std::optional<Shared<Queue>> shared;
  auto until_shut_down = [&](bool puts) -> Coro<> {
    try {
      for (;;) {
        if (puts)
          co_await shared->primitive.put(1);
        else
          co_await shared->primitive.get();
      }
    } catch (const corun::QueueShutDown&) {
    }
  };
  auto ends_it = [&]() -> Coro<> {
    co_await passes(4);
    shared->primitive.shutdown();
  };
  auto body = [&]() -> Coro<> {
    shared.emplace(std::size_t{1});
    shared->others = {create_task(until_shut_down(true)), create_task(until_shut_down(true)), create_task(ends_it())};
    co_await until_shut_down(false);
  };
  auto options = afterwards<Queue>(shared, [](auto&) {});
  CHECK(disturb_everywhere(body, options) > 5);
}
