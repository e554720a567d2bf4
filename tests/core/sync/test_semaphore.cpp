// SPDX-License-Identifier: MIT
#include <corun/sync/semaphore.hpp>
#include <random>

#include "in_passes.hpp"

using namespace tests;
using corun::BoundedSemaphore;
using corun::Semaphore;

TEST_CASE("a semaphore has as many permits as it was given, one by default, and never less than none") {
  on_loop([]() -> Coro<> {
    Semaphore one, none(0), two(2);
    CHECK_FALSE(one.locked());
    CHECK(none.locked());
    co_await two.acquire();
    CHECK_FALSE(two.locked());
    co_await two.acquire();
    CHECK(two.locked());
  });
  CHECK(text_of<ValueError>([] { Semaphore semaphore(-1); }) == "Semaphore initial value must be >= 0");
  CHECK_FALSE(text_of<ValueError>([] { BoundedSemaphore semaphore(-1); }).empty());
}

TEST_CASE("a semaphore may be released beyond its first value, a bounded one may not") {
  on_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    semaphore.release();
    semaphore.release();
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    CHECK(semaphore.locked());

    BoundedSemaphore bounded(1);
    co_await bounded.acquire();
    bounded.release();
    CHECK(text_of<ValueError>([&] { bounded.release(); }) == "BoundedSemaphore released too many times");
  });
}

TEST_CASE("a permit at hand is taken without suspending and without a look at cancellation") {
  on_loop([]() -> Coro<> {
    Semaphore semaphore;
    bool taken = false;
    auto task = create_task([&]() -> Coro<> {
      corun::current_task().cancel();
      co_await semaphore.acquire();
      taken = true;
      co_await passes(1);
    });
    CHECK_AWAITED(co_await ended(task), true);
    CHECK(taken);
  });
}

TEST_CASE("permits go to those who wait in the order of arrival, and nobody overtakes") {
  on_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    std::vector<int> order;
    auto one = [&](int i) -> Coro<> {
      co_await semaphore.acquire();
      order.push_back(i);
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(one(i)));
    co_await passes(1);
    semaphore.release();
    semaphore.release();
    semaphore.release();
    semaphore.release();         // one more than there are waiters
    CHECK(semaphore.locked());   // they have not run yet: a newcomer waits behind them
    co_await semaphore.acquire();
    CHECK(order == std::vector<int>{0, 1, 2});
    CHECK(semaphore.locked());
  });
}

TEST_CASE("a newcomer behind a woken waiter gets the spare permit, whatever becomes of that waiter") {
  on_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    auto first = create_task(semaphore.acquire());
    co_await passes(1);
    auto second = create_task(semaphore.acquire());
    // In the pass in which `first` runs, `second` comes to wait before it does.
    corun::get_running_loop().call_soon([&] {
      semaphore.release();
      semaphore.release();
    });
    SECTION("it runs") {
      co_await first;
      co_await second;
    }
    SECTION("it is cancelled") {
      co_await passes(1);
      first.cancel();
      CHECK_AWAITED(co_await ended(first), true);
      co_await second;
      CHECK_FALSE(semaphore.locked());
      co_await semaphore.acquire();
    }
    CHECK(semaphore.locked());
  });
}

TEST_CASE("a permit given to a task that is cancelled in the same instant goes to the next one") {
  on_loop([]() -> Coro<> {
    Semaphore semaphore(0);
    auto a = create_task(semaphore.acquire());
    auto b = create_task(semaphore.acquire());
    auto c = create_task(semaphore.acquire());
    co_await passes(1);
    semaphore.release();
    a.cancel();
    co_await b;
    CHECK_AWAITED(co_await ended(a), true);
    CHECK_FALSE(c.done());
    c.cancel();
    semaphore.release();
    CHECK_AWAITED(co_await ended(c), true);
    CHECK_FALSE(semaphore.locked());
    co_await semaphore.acquire();
  });
}

TEST_CASE("when all who got a permit are cancelled the permits are there again") {
  on_loop([]() -> Coro<> {
    BoundedSemaphore semaphore(2);
    co_await semaphore.acquire();
    co_await semaphore.acquire();
    std::vector<Task<>> tasks;
    for (int i = 0; i < 4; ++i) tasks.push_back(create_task(semaphore.acquire()));
    co_await passes(1);
    semaphore.release();
    semaphore.release();
    for (auto& task : tasks) task.cancel();
    for (auto& task : tasks) CHECK_AWAITED(co_await ended(task), true);
    co_await semaphore.acquire();
    CHECK_FALSE(semaphore.locked());
    co_await semaphore.acquire();
    CHECK(semaphore.locked());
  });
}

TEST_CASE("a semaphore that goes ends the wait for it, and is waited for on one loop only") {
  on_loop([]() -> Coro<> {
    auto semaphore = std::make_unique<Semaphore>(0);
    auto woken = create_task(semaphore->acquire());
    auto waiting = create_task(semaphore->acquire());
    co_await passes(1);
    semaphore->release();
    semaphore.reset();
    CHECK_AWAITED(co_await ended(woken), true);
    CHECK_AWAITED(co_await ended(waiting), true);
  });
  Semaphore semaphore(0);
  auto meet = [&]() -> Coro<> {
    auto task = create_task(semaphore.acquire());
    co_await passes(1);
    semaphore.release();
    co_await task;
  };
  on_loop(meet);
  CHECK(text_of<RuntimeError>([&] { on_loop(meet); }) == "a semaphore is bound to a different event loop");
}

TEST_CASE("cancelled at every step, a task never keeps a permit nor loses another's") {
  auto steps = cancel_everywhere([](Disturbance& request) -> Coro<> {
    BoundedSemaphore semaphore(2);
    int inside = 0;
    auto work = [&](int busy) -> Coro<> {
      for (int i = 0; i < 3; ++i)
        co_await semaphore.with([&]() -> Coro<> {
          CHECK(++inside <= 2);
          struct Out {
            int& inside;
            ~Out() { --inside; }
          } out{inside};
          co_await passes(busy);
        });
    };
    std::vector<Task<>> others;
    others.push_back(create_task(work(1)));
    others.push_back(create_task(work(2)));
    auto victim = create_task(work(1));
    others.push_back(create_task(work(0)));
    others.push_back(create_task(work(3)));
    request.aim(victim);
    for (auto& task : others) co_await task;
    co_await ended(victim);
    CHECK(victim.cancelled() == request.made());
    co_await semaphore.acquire();
    CHECK_FALSE(semaphore.locked());
    co_await semaphore.acquire();
    CHECK(semaphore.locked());
  });
  CHECK(steps > 8);
}

TEST_CASE("under a random load with random cancellations every permit comes back") {
  unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  on_loop([&]() -> Coro<> {
    BoundedSemaphore semaphore(3);
    int inside = 0, done = 0;
    auto work = [&]() -> Coro<> {
      for (int i = 0; i < 20; ++i) {
        co_await semaphore.with([&]() -> Coro<> {
          if (++inside > 3) FAIL("too many inside");
          struct Out {
            int& inside;
            ~Out() { --inside; }
          } out{inside};
          co_await passes(pick(3));
        });
        if (pick(4) == 0) co_await passes(1);
      }
      ++done;
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 60; ++i) tasks.push_back(create_task(work()));
    int cancelled = 0;
    while (true) {
      std::size_t alive = 0;
      for (auto& task : tasks) alive += !task.done();
      if (alive == 0) break;
      if (pick(3) == 0) cancelled += tasks[static_cast<std::size_t>(pick(60))].cancel();
      co_await passes(1);
    }
    for (auto& task : tasks) co_await ended(task);
    CHECK(done >= 1);
    CHECK(cancelled > 0);
    for (int i = 0; i < 3; ++i) {
      CHECK_FALSE(semaphore.locked());
      co_await semaphore.acquire();
    }
    CHECK(semaphore.locked());
  });
}
