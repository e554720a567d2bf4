// SPDX-License-Identifier: MIT
#include "daemon/job/signal.hpp"

#include <corun/testing/virtual_time.hpp>

#include "support/catch.hpp"

using corun::Coro;
using corund::job::Signal;

TEST_CASE("notify wakes all who wait, and nobody later") {
  int woken = 0;
  auto waiter = [&](Signal& signal) -> Coro<> {
    co_await signal.wait();
    ++woken;
  };
  auto main = [&]() -> Coro<> {
    Signal signal;
    auto one = corun::create_task(waiter(signal));
    auto two = corun::create_task(waiter(signal));
    co_await corun::sleep(std::chrono::seconds(1));
    CHECK(signal.waiting() == 2);
    signal.notify();
    auto late = corun::create_task(waiter(signal));
    co_await one;
    co_await two;
    co_await corun::sleep(std::chrono::seconds(1));
    CHECK(woken == 2);
    late.cancel();
    co_await corun::sleep(std::chrono::seconds(0));
    co_await corun::sleep(std::chrono::seconds(0));
    CHECK(signal.waiting() == 0);  // a wait that was cancelled leaves nothing
  };
  corun::run(main(), {.loop_factory = corun::testing::virtual_time()});
}

TEST_CASE("cancelling one who waits does not touch the others") {
  int woken = 0;
  auto waiter = [&](Signal& signal) -> Coro<> {
    co_await signal.wait();
    ++woken;
  };
  auto main = [&]() -> Coro<> {
    Signal signal;
    auto one = corun::create_task(waiter(signal));
    auto two = corun::create_task(waiter(signal));
    co_await corun::sleep(std::chrono::seconds(1));
    one.cancel();
    co_await corun::sleep(std::chrono::seconds(1));
    signal.notify();
    co_await two;
    CHECK(one.cancelled());
    CHECK(woken == 1);
  };
  corun::run(main(), {.loop_factory = corun::testing::virtual_time()});
}
