// SPDX-License-Identifier: MIT
#include <corun/sync/queue.hpp>
#include <memory>

#include "in_passes.hpp"

using namespace tests;
using corun::LifoQueue;
using corun::PriorityQueue;
using corun::Queue;
using corun::QueueEmpty;
using corun::QueueFull;
using corun::QueueShutDown;

namespace {

// The text of what a task threw; "" where it returned.
template <class T>
std::string failure(const Task<T>& task) {
  return task.exception() ? corun::detail::describe(task.exception()) : std::string();
}
const std::string shut_down = "corun::QueueShutDown: the queue has been shut down";

}  // namespace

TEST_CASE("a queue gives items in the order in which they were put") {
  on_loop([]() -> Coro<> {
    Queue<std::string> queue;
    CHECK(queue.maxsize() == 0);
    CHECK(queue.empty());
    co_await queue.put("a");
    CHECK(queue.try_put("b"));
    queue.put_nowait("c");
    CHECK(queue.qsize() == 3);
    CHECK_FALSE(queue.empty());
    CHECK_FALSE(queue.full());
    CHECK_AWAITED(co_await queue.get(), "a");
    CHECK(queue.try_get() == "b");
    CHECK(queue.get_nowait() == "c");
    CHECK(queue.empty());
    CHECK(queue.try_get() == std::nullopt);
    CHECK_THROWS_AS(queue.get_nowait(), QueueEmpty);
  });
}

TEST_CASE("a full queue refuses, and a refused item stays the caller's") {
  on_loop([]() -> Coro<> {
    Queue<std::unique_ptr<int>> queue(1);
    auto item = std::make_unique<int>(1);
    CHECK(queue.try_put(std::move(item)));
    CHECK_FALSE(item);
    CHECK(queue.full());
    item = std::make_unique<int>(2);
    CHECK_FALSE(queue.try_put(std::move(item)));
    CHECK(*item == 2);
    CHECK_THROWS_AS(queue.put_nowait(std::move(item)), QueueFull);
    CHECK(*item == 2);
    auto first = co_await queue.get();
    CHECK(*first == 1);
  });
}

TEST_CASE("an item or room at hand is taken without suspending and without a look at cancellation") {
  on_loop([]() -> Coro<> {
    Queue<int> queue(1);
    int got = 0;
    auto task = create_task([&]() -> Coro<> {
      corun::current_task().cancel();
      co_await queue.put(5);
      got = co_await queue.get();
      co_await passes(1);
    });
    CHECK_AWAITED(co_await ended(task), true);
    CHECK(got == 5);
  });
}

TEST_CASE("who waits for an item is served in the order of arrival") {
  on_loop([]() -> Coro<> {
    Queue<int> queue;
    std::vector<std::pair<int, int>> got;
    auto getter = [&](int id) -> Coro<> { got.emplace_back(id, co_await queue.get()); };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(getter(i)));
    co_await passes(1);
    for (int i = 10; i < 13; ++i) queue.put_nowait(i);
    CHECK(queue.qsize() == 3);
    for (auto& task : tasks) co_await task;
    CHECK(got == std::vector<std::pair<int, int>>{{0, 10}, {1, 11}, {2, 12}});
  });
}

TEST_CASE("who waits for room is served in the order of arrival") {
  on_loop([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(0);
    std::vector<Task<>> tasks;
    for (int i = 1; i < 4; ++i) tasks.push_back(create_task(queue.put(i)));
    co_await passes(1);
    CHECK(queue.qsize() == 1);
    for (int i = 0; i < 4; ++i) {
      CHECK_AWAITED(co_await queue.get(), i);
      co_await passes(1);
    }
    for (auto& task : tasks) co_await task;
  });
}

TEST_CASE("a getter whose item was taken by somebody faster waits on in its old place") {
  on_loop([]() -> Coro<> {
    Queue<int> queue;
    auto first = create_task(queue.get());
    auto second = create_task(queue.get());
    co_await passes(1);
    queue.put_nowait(1);
    CHECK(queue.try_get() == 1);  // as in asyncio, a get that finds an item takes it
    co_await passes(2);
    CHECK_FALSE(first.done());
    queue.put_nowait(2);
    CHECK_AWAITED(co_await first, 2);
    CHECK_FALSE(second.done());
    queue.put_nowait(3);
    CHECK_AWAITED(co_await second, 3);
  });
}

TEST_CASE("an item offered to a getter that is cancelled in the same instant goes to the next one") {
  on_loop([]() -> Coro<> {
    Queue<int> queue;
    auto a = create_task(queue.get());
    auto b = create_task(queue.get());
    auto c = create_task(queue.get());
    co_await passes(1);
    queue.put_nowait(1);
    a.cancel();
    CHECK_AWAITED(co_await b, 1);
    CHECK_AWAITED(co_await ended(a), true);
    c.cancel();
    queue.put_nowait(2);
    CHECK_AWAITED(co_await ended(c), true);
    CHECK(queue.qsize() == 1);
    CHECK(queue.try_get() == 2);
  });
}

TEST_CASE("room offered to a putter that is cancelled in the same instant goes to the next one") {
  on_loop([]() -> Coro<> {
    Queue<int> queue(1);
    queue.put_nowait(0);
    auto a = create_task(queue.put(1));
    auto b = create_task(queue.put(2));
    co_await passes(1);
    CHECK(queue.get_nowait() == 0);
    a.cancel();
    co_await b;
    CHECK_AWAITED(co_await ended(a), true);
    CHECK(queue.get_nowait() == 2);
    CHECK(queue.empty());
  });
}

TEST_CASE("join waits until each item has been dealt with") {
  on_loop([]() -> Coro<> {
    Queue<int> queue;
    co_await queue.join();  // nothing was put: at once
    CHECK(text_of<ValueError>([&] { queue.task_done(); }) == "task_done() called too many times");
    queue.put_nowait(1);
    queue.put_nowait(2);
    auto first = create_task(queue.join());
    auto second = create_task(queue.join());
    auto third = create_task(queue.join());
    co_await passes(1);
    queue.get_nowait();
    queue.get_nowait();
    queue.task_done();
    co_await passes(2);
    CHECK_FALSE(first.done());
    third.cancel();
    queue.task_done();
    co_await first;
    co_await second;
    CHECK_AWAITED(co_await ended(third), true);
    CHECK_THROWS_AS(queue.task_done(), ValueError);
  });
}

TEST_CASE("a priority queue gives the smallest first, by its own order if it has one") {
  on_loop([]() -> Coro<> {
    PriorityQueue<std::pair<int, std::string>> queue(4);
    queue.put_nowait({3, "c"});
    queue.put_nowait({1, "a"});
    CHECK(queue.try_put({4, "d"}));
    co_await queue.put({2, "b"});
    CHECK(queue.full());
    std::string order;
    while (auto item = queue.try_get()) order += item->second;
    CHECK(order == "abcd");

    PriorityQueue<int, std::greater<>> largest;
    auto by_distance = [](const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) {
      return std::abs(*a - 10) < std::abs(*b - 10);
    };
    PriorityQueue<std::unique_ptr<int>, decltype(by_distance)> nearest(0, by_distance);
    for (int i : {9, 3, 14, 10}) {
      largest.put_nowait(i);
      nearest.put_nowait(std::make_unique<int>(i));
    }
    CHECK_AWAITED(co_await largest.get(), 14);
    auto item = co_await nearest.get();
    CHECK(*item == 10);
    item = co_await nearest.get();
    CHECK(*item == 9);
    nearest.shutdown(true);
    CHECK(nearest.empty());
  });
}

TEST_CASE("a last-in-first-out queue gives the latest first") {
  on_loop([]() -> Coro<> {
    LifoQueue<int> queue;
    for (int i = 0; i < 3; ++i) co_await queue.put(i);
    for (int i = 2; i >= 0; --i) CHECK_AWAITED(co_await queue.get(), i);
  });
}

TEST_CASE("a queue that is shut down takes nothing more and gives what it has") {
  on_loop([]() -> Coro<> {
    Queue<int> queue(2);
    queue.put_nowait(1);
    queue.put_nowait(2);
    auto putter = create_task(queue.put(3));
    co_await passes(1);
    queue.shutdown();
    queue.shutdown();
    CHECK_THROWS_AS(queue.try_put(4), QueueShutDown);
    CHECK_THROWS_AS(queue.put_nowait(4), QueueShutDown);
    CHECK_AWAITED(co_await ended(putter), false);
    CHECK(failure(putter) == shut_down);
    CHECK_AWAITED(co_await queue.get(), 1);
    auto late = create_task(queue.put(5));
    co_await ended(late);
    CHECK(failure(late) == shut_down);
    CHECK(queue.try_get() == 2);
    CHECK_THROWS_AS(queue.try_get(), QueueShutDown);
    CHECK_THROWS_AS(queue.get_nowait(), QueueShutDown);
    auto getter = create_task(queue.get());
    co_await ended(getter);
    CHECK(failure(getter) == shut_down);

    auto joiner = create_task(queue.join());
    co_await passes(1);
    queue.task_done();
    CHECK_FALSE(joiner.done());
    queue.task_done();
    co_await joiner;
  });
}

TEST_CASE("a shutdown wakes those who wait for an item") {
  on_loop([]() -> Coro<> {
    Queue<int> queue;
    auto a = create_task(queue.get());
    auto b = create_task(queue.get());
    co_await passes(1);
    bool immediate = GENERATE(false, true);
    queue.put_nowait(7);
    queue.shutdown(immediate);
    b.cancel();
    co_await ended(a);
    CHECK_AWAITED(co_await ended(b), true);
    if (immediate)
      CHECK(failure(a) == shut_down);
    else
      CHECK(a.result() == 7);
  });
}

TEST_CASE("an immediate shutdown throws the items away and counts each as done") {
  on_loop([]() -> Coro<> {
    Queue<std::shared_ptr<int>> queue(3);
    auto item = std::make_shared<int>(1);
    for (int i = 0; i < 3; ++i) queue.put_nowait(item);
    auto putter = create_task(queue.put(item));
    auto joiner = create_task(queue.join());
    co_await passes(1);

    SECTION("all of them are in the queue") {
      queue.shutdown(true);
      co_await joiner;
    }
    SECTION("one is still being dealt with") {
      queue.get_nowait();
      queue.shutdown(true);
      co_await passes(2);
      CHECK_FALSE(joiner.done());
      queue.task_done();
      co_await joiner;
    }
    SECTION("after a shutdown that was not") {
      queue.shutdown();
      queue.shutdown(true);
      co_await joiner;
    }
    co_await ended(putter);
    CHECK(failure(putter) == shut_down);
    CHECK(queue.empty());
    CHECK_THROWS_AS(queue.get_nowait(), QueueShutDown);
    CHECK(item.use_count() == 1);
  });
}

TEST_CASE("a queue is waited for on one loop only") {
  Queue<int> queue(1);
  on_loop([&]() -> Coro<> {
    auto getter = create_task(queue.get());
    co_await passes(1);
    co_await queue.put(1);
    co_await getter;
  });
  auto elsewhere = [&]() -> Coro<> {
    co_await queue.put(1);
    co_await queue.put(2);
  };
  CHECK(text_of<RuntimeError>([&] { on_loop(elsewhere); }) == "a queue is bound to a different event loop");
}

TEST_CASE("a queue that goes ends the waits on it, and a leftover worker ends quietly") {
  Reports reports;
  auto main = [&]() -> Coro<> {
    Queue<int> queue(1);
    auto worker = create_task([&]() -> Coro<> {
      while (true) {
        co_await queue.get();
        queue.task_done();
      }
    });
    co_await queue.put(1);
    co_await queue.put(2);
    co_await queue.join();
  };
  corun::run(main(), virtual_time_heard_by(reports));
  CHECK(reports.errors.empty());
  CHECK(reports.warnings.empty());

  on_loop([]() -> Coro<> {
    auto queue = std::make_unique<Queue<int>>(1);
    queue->put_nowait(1);
    auto putter = create_task(queue->put(2));
    auto joiner = create_task(queue->join());
    co_await passes(1);
    queue->get_nowait();
    queue.reset();
    CHECK_AWAITED(co_await ended(putter), true);
    CHECK_AWAITED(co_await ended(joiner), true);
  });
}
