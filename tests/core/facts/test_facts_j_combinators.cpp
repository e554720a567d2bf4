// SPDX-License-Identifier: MIT
// Facts 126, 127, 130, 131: shield, gather, wait, as_completed, eager start. Groups: test_facts_j_groups.cpp.
#include <algorithm>
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Future;
using corun::Task;
using corun::TimeoutError;
using tests::Reports;
using tests::text_of;

namespace {

Coro<int> after(std::chrono::seconds delay, int value) {
  co_await corun::sleep(delay);
  co_return value;
}

Coro<int> fail_after(std::chrono::seconds delay, std::string text) {
  co_await corun::sleep(delay);
  throw std::domain_error(text);
}

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

// g++ 12 takes no initializer list in an expression that awaits.
template <class... Tasks>
std::vector<Task<int>> list(Tasks... tasks) {
  std::vector<Task<int>> all;
  (all.push_back(tasks), ...);
  return all;
}

template <class F>
auto on_virtual_time(F main) {
  return corun::run(main(), tests::virtual_time());
}

std::vector<Task<int>> three_tasks() {
  std::vector<Task<int>> tasks;
  tasks.push_back(corun::create_task(after(3s, 3)));
  tasks.push_back(corun::create_task(after(1s, 1)));
  tasks.push_back(corun::create_task(after(2s, 2)));
  return tasks;
}

}  // namespace

TEST_CASE("126: who waits behind a shield is cancelled at once, what is shielded goes on") {
  on_virtual_time([]() -> Coro<> {
    auto inner = corun::create_task(after(5s, 8));
    auto body = [&]() -> Coro<int> { co_return co_await corun::shield(inner); };
    auto outer = corun::create_task(body());
    co_await corun::sleep(1s);
    outer.cancel();
    co_await passes(2);
    CHECK(outer.cancelled());
    CHECK_FALSE(inner.done());
    CHECK(inner.cancelling() == 0);
    int value = co_await inner;
    CHECK(value == 8);
    int shielded = co_await corun::shield(after(1s, 9));
    CHECK(shielded == 9);
  });
}

TEST_CASE("126: where the shielded task fails after its waiter was cancelled, the handler is told") {
  Reports reports;
  auto main = []() -> Coro<> {
    auto inner = corun::create_task(fail_after(5s, "E"));
    auto body = [&]() -> Coro<int> { co_return co_await corun::shield(inner); };
    auto outer = corun::create_task(body());
    co_await corun::sleep(1s);
    outer.cancel();
    co_await corun::sleep(10s);
    CHECK(inner.done());
  };
  corun::run(main(), tests::virtual_time_heard_by(reports));
  REQUIRE(reports.errors.size() == 1);
  CHECK(reports.errors_with("exception in shielded future") == 1);
  CHECK_THROWS_AS(std::rethrow_exception(reports.errors[0].exception), std::domain_error);
}

TEST_CASE("126: cancelling what is shielded cancels the shield") {
  on_virtual_time([]() -> Coro<> {
    auto inner = corun::create_task(after(5s, 8));
    auto outer = corun::shield(inner);
    inner.cancel();
    co_await passes(2);
    CHECK(inner.cancelled());
    CHECK(outer.cancelled());
  });
}

TEST_CASE("127: gather gives the results in the order of its arguments") {
  on_virtual_time([]() -> Coro<> {
    auto nothing = []() -> Coro<> { co_return; };
    auto all = co_await corun::gather(after(3s, 3), nothing(), after(1s, 1));
    CHECK(std::get<0>(all) == 3);
    CHECK(std::get<2>(all) == 1);
    STATIC_REQUIRE(std::is_same_v<std::tuple_element_t<1, decltype(all)>, std::monostate>);
    auto values = co_await corun::gather(three_tasks());
    CHECK(values == std::vector<int>{3, 1, 2});
  });
}

TEST_CASE("127: the first error leaves gather at once, and the siblings keep running") {
  on_virtual_time([]() -> Coro<> {
    auto begin = corun::get_running_loop().time();
    auto slow = corun::create_task(after(10s, 1));
    std::string text;
    try {
      co_await corun::gather(slow, fail_after(1s, "first"), fail_after(2s, "second"));
    } catch (const std::domain_error& error) {
      text = error.what();
    }
    CHECK(text == "first");
    CHECK(corun::get_running_loop().time() - begin == 1s);
    CHECK_FALSE(slow.done());
    int value = co_await slow;
    CHECK(value == 1);
  });
}

TEST_CASE("127: cancelling who awaits gather cancels every child, and throws when the first of them has ended by it") {
  on_virtual_time([]() -> Coro<> {
    auto begin = corun::get_running_loop().time();
    auto slow_to_cancel = [](std::chrono::seconds clean_up) -> Coro<int> {
      bool cancelled = false;
      try {
        co_await Future<>();
      } catch (const CancelledError&) {
        cancelled = true;
      }
      if (cancelled) co_await corun::sleep(clean_up);
      throw CancelledError();
    };
    auto a = corun::create_task(slow_to_cancel(4s));
    auto b = corun::create_task(slow_to_cancel(6s));
    auto body = [&]() -> Coro<> { co_await corun::gather(a, b); };
    auto gathering = corun::create_task(body());
    co_await corun::sleep(1s);
    gathering.cancel();
    try {
      co_await gathering;
    } catch (const CancelledError&) {
    }
    CHECK(gathering.cancelled());
    CHECK(a.cancelled());
    CHECK_FALSE(b.done());  // still cleans up, as in asyncio
    CHECK(corun::get_running_loop().time() - begin == 5s);
    co_await corun::wait(b);
    CHECK(b.cancelled());
  });
}

TEST_CASE("127: a child that was cancelled counts as an error, not as a cancellation of the whole") {
  on_virtual_time([]() -> Coro<> {
    auto a = corun::create_task(after(1h, 1));
    auto b = corun::create_task(after(2s, 2));
    corun::get_running_loop().call_later(1s, [a] { a.cancel("only a"); });
    std::string message;
    try {
      co_await corun::gather(a, b);
    } catch (const CancelledError& error) {
      message = error.message();
    }
    CHECK(message == "only a");
    CHECK(corun::current_task().cancelling() == 0);
    CHECK_FALSE(b.done());
    int value = co_await b;
    CHECK(value == 2);
  });
}

TEST_CASE("127: gather_outcomes collects errors instead of throwing them") {
  on_virtual_time([]() -> Coro<> {
    auto cancelled = corun::create_task(after(1h, 1));
    cancelled.cancel();
    auto all = co_await corun::gather_outcomes(after(1s, 1), fail_after(1s, "E"), cancelled);
    CHECK(std::get<0>(all).value() == 1);
    CHECK(text_of<std::domain_error>([&] { std::get<1>(all).value(); }) == "E");
    CHECK_FALSE(std::get<1>(all).cancelled());
    CHECK(std::get<2>(all).cancelled());
  });
}

TEST_CASE("127: an empty gather is done at once, and a task given twice runs once") {
  on_virtual_time([]() -> Coro<> {
    auto none = co_await corun::gather(std::vector<Task<int>>());
    CHECK(none.empty());
    int runs = 0;
    auto body = [&]() -> Coro<int> {
      ++runs;
      co_return 4;
    };
    auto task = corun::create_task(body());
    auto both = co_await corun::gather(task, task);
    CHECK(both == std::tuple(4, 4));
    CHECK(runs == 1);
  });
}

TEST_CASE("130: wait never throws what its tasks throw and never cancels them") {
  on_virtual_time([]() -> Coro<> {
    auto good = corun::create_task(after(1s, 1));
    auto bad = corun::create_task(fail_after(2s, "E"));
    auto slow = corun::create_task(after(1h, 1));
    auto first =
        co_await corun::wait(list(good, bad, slow), {.return_when = corun::ReturnWhen::first_completed});
    CHECK(first.done == list(good));
    CHECK(first.pending == list(bad, slow));
    auto failed =
        co_await corun::wait(list(good, bad, slow), {.return_when = corun::ReturnWhen::first_completed});
    CHECK(failed.done == list(good));
    auto exception =
        co_await corun::wait(list(bad, slow), {.return_when = corun::ReturnWhen::first_exception});
    CHECK(exception.done == list(bad));
    CHECK(bad.exception() != nullptr);
    auto timed = co_await corun::wait(list(slow), {.timeout = 3s});
    CHECK(timed.done.empty());
    CHECK(timed.pending == list(slow));
    CHECK(slow.cancelling() == 0);
    auto all = co_await corun::wait(good, slow);
    CHECK(all.done == list(good, slow));
  });
}

TEST_CASE("130: cancelling who waits leaves the tasks alone, and an empty set is a ValueError") {
  on_virtual_time([]() -> Coro<> {
    auto slow = corun::create_task(after(1h, 1));
    auto body = [&]() -> Coro<> { co_await corun::wait(slow); };
    auto waiting = corun::create_task(body());
    co_await passes(2);
    waiting.cancel();
    co_await passes(2);
    CHECK(waiting.cancelled());
    CHECK(slow.cancelling() == 0);
    bool refused = false;
    try {
      co_await corun::wait(std::vector<Task<int>>());
    } catch (const corun::ValueError&) {
      refused = true;
    }
    CHECK(refused);
  });
}

TEST_CASE("130: as_completed gives the tasks themselves, in the order in which they end") {
  on_virtual_time([]() -> Coro<> {
    auto tasks = three_tasks();
    std::vector<Task<int>> ended;
    auto order = corun::as_completed(tasks);
    while (auto task = co_await order.next()) ended.push_back(*task);
    CHECK(ended == list(tasks[1], tasks[2], tasks[0]));
  });
}

TEST_CASE("130: as_completed throws TimeoutError at the end of its time") {
  on_virtual_time([]() -> Coro<> {
    auto tasks = three_tasks();
    auto order = corun::as_completed(tasks, 2500ms);
    int ended = 0;
    bool timed_out = false;
    try {
      while (auto task = co_await order.next()) ++ended;
    } catch (const TimeoutError&) {
      timed_out = true;
    }
    CHECK(ended == 2);
    CHECK(timed_out);
    CHECK(tasks[0].cancelling() == 0);
  });
}

TEST_CASE("131: an eager task runs in its creator's stack up to its first suspension") {
  on_virtual_time([]() -> Coro<> {
    auto creator = corun::current_task();
    std::vector<std::string> log;
    auto body = [&]() -> Coro<int> {
      log.push_back(corun::current_task() == creator ? "creator" : corun::current_task().name());
      co_await corun::sleep(0s);
      log.push_back("resumed");
      co_return 2;
    };
    auto task = corun::create_task(body(), {.name = "eager", .eager_start = true});
    log.push_back("created");
    CHECK(corun::current_task() == creator);
    int value = co_await task;
    CHECK(value == 2);
    CHECK(log == std::vector<std::string>{"eager", "created", "resumed"});
  });
}

TEST_CASE("131: an eager task that does not suspend is done at once and was never queued") {
  corun::ContextVar<int> variable("variable", 0);
  on_virtual_time([&]() -> Coro<> {
    variable.set(1);
    auto body = [&]() -> Coro<int> {
      variable.set(2);
      co_return 3;
    };
    auto task = corun::create_task(body(), {.eager_start = true});
    CHECK(task.done());
    CHECK(task.result() == 3);
    CHECK(corun::all_tasks().size() == 1);
    CHECK_FALSE(task.cancel());
    CHECK(variable.get() == 1);  // its context is a copy
    co_return;
  });
}
