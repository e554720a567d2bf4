// SPDX-License-Identifier: MIT
// "cancel pending for N s on ...": what keeps a task from feeling a request.
#include <corun/corun.hpp>
#include <functional>

#include "support/catch.hpp"
#include "support/reports.hpp"

#include <boost/asio/async_result.hpp>

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Task;
using tests::Reports;

namespace {

// An operation that looks at no cancellation slot, as third-party ones often do. It ends when finish() is called.
struct initiate_async_stubborn {
  template <class Handler>
  void operator()(Handler handler, std::function<void()>* finish) const {
    *finish = [kept = std::make_shared<Handler>(std::move(handler))] { (*kept)(); };
  }
};

auto async_stubborn(std::function<void()>& finish) {
  return boost::asio::async_initiate<const corun::use_coro_t, void()>(initiate_async_stubborn{}, corun::use_coro, &finish);
}

Coro<> stuck(std::function<void()>& finish) {
  co_await async_stubborn(finish);
  co_await corun::sleep(0s);
}

std::string state_of(const corun::AnyTask& task) { return corun::capture_call_graph(task).state; }

// Runs main(reports) on the virtual clock.
template <class F>
Reports listen(bool debug, F main) {
  Reports reports;
  auto options = tests::virtual_time_heard_by(reports);
  options.debug = debug;
  corun::run(main(reports), options);
  return reports;
}

}  // namespace

TEST_CASE("in debug mode a request that an operation does not take is reported once, with its name and its time") {
  listen(true, [](Reports& reports) -> Coro<> {
    std::function<void()> finish;
    auto task = corun::create_task(stuck(finish), {.name = "stuck"});
    co_await corun::sleep(1s);
    task.cancel("enough");
    co_await corun::sleep(4s);
    CHECK(reports.warnings.empty());
    co_await corun::sleep(2s);
    REQUIRE(reports.warnings.size() == 1);
    CHECK(reports.warnings[0].find("cancel pending for 5 s on an operation (async_stubborn): Task 'stuck'\n") == 0);
    CHECK(reports.warnings[0].find("test_cancel_watch.cpp") != std::string::npos);
    CHECK(reports.warnings[0].find("in async stuck()") != std::string::npos);
    task.cancel("again");
    co_await corun::sleep(1h);
    CHECK(reports.warnings.size() == 1);
    finish();
    co_await corun::wait(task);
    CHECK(task.cancelled());
  });
}

TEST_CASE("in every mode a dump says since when a request has been pending") {
  bool debug = GENERATE(true, false);
  Reports heard = listen(debug, [](Reports&) -> Coro<> {
    corun::get_running_loop().slow_cancel_duration = 0s;  // no report, in debug mode either
    std::function<void()> finish;
    auto task = corun::create_task(stuck(finish));
    co_await corun::sleep(1s);
    CHECK(state_of(task) == "waiting for an operation, async_stubborn");
    task.cancel();
    co_await corun::sleep(90s);
    CHECK(state_of(task) == "waiting for an operation, async_stubborn, cancel pending for 90 s");
    task.cancel();
    co_await corun::sleep(1500ms);
    CHECK(state_of(task) == "waiting for an operation, async_stubborn, cancel pending for 91.5 s");
    finish();
    co_await corun::wait(task);
    CHECK(state_of(task).find("pending") == std::string::npos);
  });
  CHECK(heard.warnings.empty());
}

TEST_CASE("a request that is felt at once leaves no watch behind") {
  Reports heard = listen(true, [](Reports&) -> Coro<> {
    auto sleeps = corun::create_task(corun::sleep(1h));
    auto waits = [](Task<> inner) -> Coro<> { co_await inner; }(sleeps);
    auto outer = corun::create_task(std::move(waits));
    co_await corun::sleep(1s);
    outer.cancel();
    CHECK(corun::get_running_loop().stats().timers == 1);  // outer waits for the task that it cancelled: watched for a pass
    co_await corun::wait(outer);
    CHECK(corun::get_running_loop().stats().timers == 0);
  });
  CHECK(heard.warnings.empty());
}

TEST_CASE("who swallowed a request and waits for something else has none pending") {
  Reports heard = listen(true, [](Reports&) -> Coro<> {
    std::function<void()> finish;
    auto swallows = [&]() -> Coro<> {
      try {
        co_await corun::sleep(1h);
      } catch (const CancelledError&) {
      }
      co_await async_stubborn(finish);
    };
    auto task = corun::create_task(swallows());
    co_await corun::sleep(1s);
    task.cancel();
    co_await corun::sleep(1h);
    CHECK(state_of(task) == "waiting for an operation, async_stubborn, cancelling");
    finish();
    co_await task;
  });
  CHECK(heard.warnings.empty());
}

TEST_CASE("each task of a chain that waits for a stubborn one is named with what it waits for") {
  Reports heard = listen(true, [](Reports&) -> Coro<> {
    std::function<void()> finish;
    auto inner = corun::create_task(stuck(finish), {.name = "inner"});
    auto awaits = [](Task<> task) -> Coro<> { co_await task; }(inner);
    auto outer = corun::create_task(std::move(awaits), {.name = "outer"});
    co_await corun::sleep(1s);
    outer.cancel();
    co_await corun::sleep(10s);
    finish();
    co_await corun::wait(outer);
  });
  CHECK(heard.warnings_with("cancel pending for 5 s on an operation (async_stubborn): Task 'inner'") == 1);
  CHECK(heard.warnings_with("cancel pending for 5 s on a task: Task 'outer'") == 1);
  CHECK(heard.warnings.size() == 2);
}

TEST_CASE("a request that was made before the wait began, and passed on to it, is watched as well") {
  Reports heard = listen(true, [](Reports&) -> Coro<> {
    std::function<void()> finish;
    auto inner = corun::create_task(stuck(finish), {.name = "inner"});
    co_await corun::sleep(1s);
    auto asks_first = [](Task<> task) -> Coro<> {
      corun::current_task().cancel();
      co_await task;
    };
    auto outer = corun::create_task(asks_first(inner), {.name = "outer"});
    co_await corun::sleep(10s);
    finish();
    co_await corun::wait(outer);
    CHECK(outer.cancelled());
  });
  CHECK(heard.warnings_with("Task 'inner'") == 1);
  CHECK(heard.warnings_with("Task 'outer'") == 1);
}

TEST_CASE("a condition that takes its lock again whatever is asked says which lock holds it up") {
  Reports heard = listen(true, [](Reports&) -> Coro<> {
    corun::Condition condition;
    auto waits = [&]() -> Coro<> {
      co_await condition.with([&] { return condition.wait(); });
    };
    auto task = corun::create_task(waits(), {.name = "deaf"});
    co_await corun::sleep(1s);
    co_await condition.acquire();
    condition.notify();
    co_await corun::sleep(1s);  // it waits for the lock now
    task.cancel();
    co_await corun::sleep(1min);
    condition.release();
    co_await corun::wait(task);
    CHECK(task.cancelled());
    CHECK_FALSE(condition.locked());
  });
  REQUIRE(heard.warnings.size() == 1);
  CHECK(heard.warnings[0].find("cancel pending for 5 s on a lock: Task 'deaf'") == 0);
}

TEST_CASE("the time after which a pending request is reported can be set") {
  listen(true, [](Reports& reports) -> Coro<> {
    corun::get_running_loop().slow_cancel_duration = 250ms;
    std::function<void()> finish;
    auto task = corun::create_task(stuck(finish), {.name = "stuck"});
    co_await corun::sleep(1s);
    task.cancel();
    co_await corun::sleep(251ms);
    CHECK(reports.warnings_with("cancel pending for 0.25 s") == 1);
    finish();
    co_await corun::wait(task);
  });
}

TEST_CASE("a loop that is closed with a request pending forgets its watch") {
  Reports reports;
  std::function<void()> finish;
  std::optional<Task<>> left;
  {
    auto options = tests::virtual_time_heard_by(reports);
    options.debug = true;
    options.cancel_timeout = 1s;
    auto main = [&]() -> Coro<> {
      left = corun::create_task(stuck(finish), {.name = "stuck"});
      co_await corun::sleep(1s);
      left->cancel();
    };
    corun::run(main(), options);
    finish = nullptr;
  }
  CHECK(reports.warnings_with("'stuck' ignored its cancellation for 1 s and was abandoned") == 1);
  CHECK_FALSE(left->done());
}
