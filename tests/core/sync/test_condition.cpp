// SPDX-License-Identifier: MIT
#include <corun/sync/condition.hpp>
#include <random>

#include "in_passes.hpp"

using namespace tests;
using corun::Condition;
using corun::Lock;

namespace {

// Waits once with the lock held, and says so.
Coro<> waiter(Condition& condition, int id, std::vector<int>& log) {
  co_await condition.acquire();
  co_await condition.wait();
  CHECK(condition.locked());
  log.push_back(id);
  condition.release();
}

}  // namespace

TEST_CASE("waiting and notifying need the lock") {
  on_loop([]() -> Coro<> {
    Condition condition;
    std::string text;
    try {
      co_await condition.wait();
    } catch (const RuntimeError& error) {
      text = error.what();
    }
    CHECK(text == "cannot wait on un-acquired lock");
    CHECK(text_of<RuntimeError>([&] { condition.notify(); }) == "cannot notify on un-acquired lock");
    CHECK(text_of<RuntimeError>([&] { condition.notify_all(); }) == "cannot notify on un-acquired lock");
    CHECK(text_of<RuntimeError>([&] { condition.release(); }) == "Lock is not acquired.");
  });
}

TEST_CASE("notify wakes so many, in the order of arrival, each with the lock held") {
  on_loop([]() -> Coro<> {
    Condition condition;
    std::vector<int> log;
    std::vector<Task<>> tasks;
    for (int i = 0; i < 5; ++i) tasks.push_back(create_task(waiter(condition, i, log)));
    co_await passes(6);
    CHECK_FALSE(condition.locked());

    co_await condition.acquire();
    condition.notify();
    co_await passes(3);
    CHECK(log.empty());  // the lock is still ours
    condition.release();
    co_await passes(3);
    CHECK(log == std::vector<int>{0});

    co_await condition.acquire();
    condition.notify(2);
    condition.release();
    co_await passes(6);
    CHECK(log == std::vector<int>{0, 1, 2});

    co_await condition.acquire();
    condition.notify(0);
    condition.notify_all();
    condition.notify_all();
    condition.release();
    for (auto& task : tasks) co_await task;
    CHECK(log == std::vector<int>{0, 1, 2, 3, 4});
    CHECK_FALSE(condition.locked());
  });
}

TEST_CASE("a notification before the wait is not kept") {
  on_loop([]() -> Coro<> {
    Condition condition;
    std::vector<int> log;
    co_await condition.acquire();
    condition.notify(3);
    condition.release();
    auto task = create_task(waiter(condition, 1, log));
    co_await passes(5);
    CHECK(log.empty());
    co_await condition.with([&]() -> Coro<> {
      condition.notify();
      co_return;
    });
    co_await task;
  });
}

TEST_CASE("two conditions may share a lock") {
  on_loop([]() -> Coro<> {
    Lock lock;
    Condition full(lock), empty(lock);
    std::vector<int> log;
    auto a = create_task(waiter(full, 1, log));
    auto b = create_task(waiter(empty, 2, log));
    co_await passes(2);
    co_await lock.acquire();
    CHECK(full.locked());
    CHECK(empty.locked());
    empty.notify();
    lock.release();
    co_await b;
    CHECK_FALSE(a.done());
    co_await lock.with([&]() -> Coro<> {
      full.notify_all();
      co_return;
    });
    co_await a;
    CHECK(log == std::vector<int>{2, 1});
  });
}

TEST_CASE("wait_for waits until the predicate is true and gives its last value") {
  on_loop([]() -> Coro<> {
    Condition condition;
    int value = 0, calls = 0;
    auto task = create_task([&]() -> Coro<int> {
      co_await condition.acquire();
      int got = co_await condition.wait_for([&] {
        CHECK(condition.locked());
        ++calls;
        return value >= 2 ? value : 0;
      });
      condition.release();
      co_return got;
    });
    auto bump = [&]() -> Coro<> {
      ++value;
      condition.notify();
      co_return;
    };
    co_await passes(1);
    CHECK(calls == 1);
    co_await condition.with(bump);
    co_await passes(2);
    CHECK_FALSE(task.done());
    co_await condition.with(bump);
    CHECK_AWAITED(co_await task, 2);
    CHECK(calls == 3);

    co_await condition.acquire();
    CHECK_AWAITED(co_await condition.wait_for([] { return true; }), true);  // at once
    std::string text;
    try {
      co_await condition.wait_for([]() -> bool { throw std::runtime_error("unsaid"); });
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
    CHECK(text == "unsaid");
    CHECK(condition.locked());
    condition.release();
  });
}

TEST_CASE("a cancelled wait takes the lock again before it throws") {
  on_loop([]() -> Coro<> {
    Condition condition;
    bool held = false;
    std::vector<std::string> heard;
    auto task = create_task([&]() -> Coro<> {
      co_await condition.acquire();
      try {
        co_await condition.wait();
      } catch (const CancelledError& error) {
        held = condition.locked();
        heard.push_back(error.message());
      }
      condition.release();
      CHECK(corun::current_task().cancelling() >= 1);
      co_await passes(2);  // heard once: the next wait is not disturbed
    });
    co_await passes(1);

    SECTION("at once where the lock is free") {
      task.cancel("one");
      co_await task;
      CHECK(heard == std::vector<std::string>{"one"});
    }
    SECTION("later where another holds it; the last of several requests is the one that is thrown") {
      co_await condition.acquire();
      task.cancel("one");
      co_await passes(2);
      CHECK(heard.empty());
      task.cancel("two");
      co_await passes(2);
      task.cancel("three");
      condition.notify();  // nobody waits any more
      co_await passes(2);
      CHECK(heard.empty());
      condition.release();
      co_await task;
      CHECK(heard == std::vector<std::string>{"three"});
    }
    SECTION("when the request comes after the notification, while it waits for the lock") {
      co_await condition.acquire();
      condition.notify();
      co_await passes(2);
      task.cancel("late");
      co_await passes(2);
      CHECK(heard.empty());
      condition.release();
      co_await task;
      CHECK(heard == std::vector<std::string>{"late"});
    }
    CHECK(held);
    CHECK_FALSE(condition.locked());
  });
}

TEST_CASE("who waits for the lock again keeps its place, whatever is asked of it") {
  on_loop([]() -> Coro<> {
    Condition condition;
    std::vector<std::string> order;
    auto first = create_task([&]() -> Coro<> {
      co_await condition.acquire();
      try {
        co_await condition.wait();
      } catch (const CancelledError&) {
        order.push_back("first");
      }
      condition.release();
    });
    co_await passes(1);
    co_await condition.acquire();
    condition.notify();
    co_await passes(1);
    auto second = create_task([&]() -> Coro<> {
      co_await condition.acquire();
      order.push_back("second");
      condition.release();
    });
    co_await passes(1);
    first.cancel();
    co_await passes(1);
    condition.release();
    co_await second;
    co_await first;
    CHECK(order == std::vector<std::string>{"first", "second"});
  });
}

TEST_CASE("a notification given to a task that is cancelled goes to the next one") {
  on_loop([]() -> Coro<> {
    Condition condition;
    std::vector<int> log;
    auto a = create_task(waiter(condition, 1, log));
    auto b = create_task(waiter(condition, 2, log));
    co_await passes(2);
    auto give_back = [&]() -> Coro<> {  // what a cancelled waiter() leaves held
      co_await ended(a);
      condition.release();
    };

    SECTION("in the same instant") {
      co_await condition.acquire();
      condition.notify(1);
      a.cancel();
      condition.release();
      co_await give_back();
      co_await b;
      CHECK(log == std::vector<int>{2});
    }
    SECTION("while it waits for the lock") {
      co_await condition.acquire();
      condition.notify(1);
      co_await passes(2);
      a.cancel();
      condition.release();
      co_await give_back();
      co_await b;
      CHECK(log == std::vector<int>{2});
    }
    SECTION("and one that had none passes none on") {
      a.cancel();
      co_await give_back();
      co_await passes(3);
      CHECK(log.empty());
      CHECK_FALSE(b.done());
      co_await condition.acquire();
      condition.notify();
      condition.release();
      co_await b;
    }
    CHECK(a.cancelled());
  });
}

TEST_CASE("a condition or a lock that goes ends the wait, and is not touched any more") {
  on_loop([]() -> Coro<> {
    SECTION("the condition with its own lock") {
      auto condition = std::make_unique<Condition>();
      auto inside = create_task([&]() -> Coro<> {
        co_await condition->with([&]() -> Coro<> { co_await condition->wait(); });
      });
      auto notified = create_task([&]() -> Coro<> {
        co_await condition->with([&]() -> Coro<> { co_await condition->wait(); });
      });
      auto acquiring = create_task([&]() -> Coro<> {
        co_await passes(2);
        co_await condition->acquire();
      });
      co_await passes(2);
      co_await condition->acquire();
      condition->notify(1);
      co_await passes(2);
      condition.reset();
      CHECK_AWAITED(co_await ended(inside), true);
      CHECK_AWAITED(co_await ended(notified), true);
      CHECK_AWAITED(co_await ended(acquiring), true);
    }
    SECTION("the condition, not the lock") {
      Lock lock;
      auto condition = std::make_unique<Condition>(lock);
      auto task = create_task([&]() -> Coro<> {
        co_await lock.with([&]() -> Coro<> { co_await condition->wait(); });
      });
      co_await passes(1);
      condition.reset();
      CHECK_AWAITED(co_await ended(task), true);
      CHECK_FALSE(lock.locked());
    }
    SECTION("the lock, not the condition") {
      auto lock = std::make_unique<Lock>();
      Condition condition(*lock);
      auto task = create_task([&]() -> Coro<> {
        co_await lock->with([&]() -> Coro<> { co_await condition.wait(); });
      });
      co_await passes(1);
      lock.reset();
      task.cancel();
      CHECK_AWAITED(co_await ended(task), true);
    }
  });
}

TEST_CASE("a condition is waited for on one loop only, and a refused wait keeps the lock") {
  Condition condition;
  std::vector<int> log;
  on_loop([&]() -> Coro<> {
    auto task = create_task(waiter(condition, 1, log));
    co_await passes(1);
    co_await condition.acquire();
    condition.notify();
    condition.release();
    co_await task;
  });
  std::string text = text_of<RuntimeError>([&] { corun::run(waiter(condition, 2, log), virtual_time()); });
  CHECK(text == "a condition is bound to a different event loop");
  CHECK(condition.locked());
}

TEST_CASE("cancelled at every step, a waiter always comes back with the lock and no notification is lost") {
  auto steps = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Condition condition;
    int items = 0, taken = 0;
    auto consumer = [&](int wanted) -> Coro<> {
      for (int i = 0; i < wanted; ++i)
        co_await condition.with([&]() -> Coro<> {
          struct Look {
            Condition& condition;
            ~Look() { CHECK(condition.locked()); }
          } look{condition};
          co_await condition.wait_for([&] { return items > 0; });
          --items;
          ++taken;
          co_await passes(1);
        });
    };
    auto victim = create_task(consumer(2));
    auto other = create_task(consumer(3));
    auto producer = create_task([&]() -> Coro<> {
      for (int i = 0; i < 5; ++i) {
        co_await condition.with([&]() -> Coro<> {
          ++items;
          condition.notify(1);  // exactly one per item: one that is lost is missed
          co_await passes(i % 2);
        });
        co_await passes(1);
      }
    });
    request.aim(victim);
    co_await other;
    co_await producer;
    co_await ended(victim);
    CHECK(victim.cancelled() == request.made());
    CHECK_FALSE(condition.locked());
    CHECK(items + taken == 5);
  });
  CHECK(steps > 5);
}

TEST_CASE("under a random load with random cancellations no notification is lost") {
  unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  on_loop([&]() -> Coro<> {
    Condition condition;
    int items = 0, taken = 0, put = 0;
    bool over = false;
    auto consumer = [&]() -> Coro<> {
      while (true) {
        bool more = co_await condition.with([&]() -> Coro<bool> {
          co_await condition.wait_for([&] { return items > 0 || over; });
          if (items == 0) co_return false;
          --items;
          ++taken;
          co_await passes(pick(2));
          co_return true;
        });
        if (!more) break;
      }
    };
    std::vector<Task<>> consumers;
    for (int i = 0; i < 20; ++i) consumers.push_back(create_task(consumer()));
    for (int round = 0; round < 2000; ++round) {
      if (pick(2) == 0)
        co_await condition.with([&]() -> Coro<> {
          ++items;
          ++put;
          condition.notify(1);
          co_await passes(pick(2));
        });
      if (pick(5) == 0) {
        auto& one = consumers[static_cast<std::size_t>(pick(20))];
        one.cancel();
        if (one.done()) one = create_task(consumer());
      }
      if (pick(2) == 0) co_await passes(pick(3));
    }
    // Quiet: as long as anybody waits, nothing may be left over.
    co_await passes(5000);
    std::size_t waiting = 0;
    for (auto& one : consumers) waiting += !one.done();
    CHECK((items == 0 || waiting == 0));
    CHECK(items + taken == put);
    co_await condition.acquire();
    over = true;
    condition.notify_all();
    condition.release();
    for (auto& one : consumers) co_await ended(one);
    CHECK_FALSE(condition.locked());
  });
}
