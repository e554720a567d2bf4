// SPDX-License-Identifier: MIT
#include <corun/sync/lock.hpp>

#include "in_passes.hpp"

using namespace tests;
using corun::Lock;

TEST_CASE("a free lock is taken without suspending and without a look at cancellation") {
  on_loop([]() -> Coro<> {
    Lock lock;
    bool taken = false;
    auto task = create_task([&]() -> Coro<> {
      corun::current_task().cancel();
      co_await lock.acquire();
      taken = lock.locked();
      lock.release();
      co_await passes(1);
    });
    co_await passes(1);
    CHECK(taken);
    CHECK_AWAITED(co_await ended(task), true);
    CHECK_FALSE(lock.locked());
  });
}

TEST_CASE("releasing a free lock is an error") {
  Lock lock;
  CHECK(text_of<RuntimeError>([&] { lock.release(); }) == "Lock is not acquired.");
}

TEST_CASE("a lock goes from task to task in the order of arrival, and nobody overtakes") {
  on_loop([]() -> Coro<> {
    Lock lock;
    std::vector<int> order;
    auto one = [&](int i) -> Coro<> {
      co_await lock.acquire();
      order.push_back(i);
      lock.release();
    };
    co_await lock.acquire();
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(one(i)));
    co_await passes(1);
    lock.release();
    CHECK_FALSE(lock.locked());  // the first waiter's turn, which it has not taken yet
    co_await lock.acquire();     // so this one stands behind all of them
    CHECK(order == std::vector<int>{0, 1, 2});
    lock.release();
  });
}

TEST_CASE("a waiter that is cancelled lets the lock pass by") {
  on_loop([]() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(lock.acquire());
    auto b = create_task(lock.acquire());
    co_await passes(1);

    SECTION("before the release") {
      a.cancel();
      lock.release();
    }
    SECTION("after the release, before its turn") {
      lock.release();
      a.cancel();
    }
    CHECK_AWAITED(co_await ended(a), true);
    co_await b;
    CHECK(lock.locked());
    lock.release();
  });
}

TEST_CASE("when all who waited are cancelled the lock is free for the next one") {
  on_loop([]() -> Coro<> {
    Lock lock;
    co_await lock.acquire();
    auto a = create_task(lock.acquire());
    auto b = create_task(lock.acquire());
    co_await passes(1);
    lock.release();
    a.cancel();
    b.cancel();
    co_await lock.acquire();
    CHECK(lock.locked());
    CHECK_AWAITED(co_await ended(a), true);
    CHECK_AWAITED(co_await ended(b), true);
    CHECK(lock.locked());
    lock.release();
  });
}

TEST_CASE("a lock is waited for on one loop only") {
  Lock lock;
  on_loop([&]() -> Coro<> {
    co_await lock.acquire();
    auto waiter = create_task(lock.acquire());
    co_await passes(1);
    lock.release();
    co_await waiter;
  });
  CHECK(lock.locked());
  CHECK(text_of<RuntimeError>([&] { corun::run(lock.acquire(), virtual_time()); }) ==
        "a lock is bound to a different event loop");
  lock.release();
  corun::run(lock.acquire(), virtual_time());  // free: no wait, no binding looked at
  CHECK(lock.locked());
}

TEST_CASE("a lock that goes ends the wait for it") {
  on_loop([]() -> Coro<> {
    auto lock = std::make_unique<Lock>();
    co_await lock->acquire();
    auto a = create_task(lock->acquire());
    auto b = create_task(lock->acquire());
    co_await passes(1);
    lock->release();
    lock.reset();
    CHECK_AWAITED(co_await ended(a), true);
    CHECK_AWAITED(co_await ended(b), true);
  });
}

TEST_CASE("cancelled at every step, a task never keeps the lock nor loses another's turn") {
  auto steps = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Lock lock;
    int inside = 0, rounds = 0;
    auto work = [&](int busy) -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        co_await lock.with([&]() -> Coro<> {
          CHECK(++inside == 1);
          struct Out {
            int& inside;
            ~Out() { --inside; }
          } out{inside};
          co_await passes(busy);
        });
        ++rounds;
      }
    };
    auto before = create_task(work(1));
    auto victim = create_task(work(2));
    auto after = create_task(work(0));
    request.aim(victim);
    co_await before;
    co_await after;
    co_await ended(victim);
    CHECK(victim.cancelled() == request.made());
    CHECK(inside == 0);
    CHECK_FALSE(lock.locked());
    CHECK(rounds >= 6);
    co_await lock.acquire();
  });
  CHECK(steps > 8);
}
