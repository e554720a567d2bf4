// SPDX-License-Identifier: MIT
// Facts 31-41: context variables.
#include <corun/corun.hpp>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Context;
using corun::ContextVar;
using corun::Coro;
using corun::Runner;
using corun::RuntimeError;
using tests::Reports;

namespace {

ContextVar<int> variable("variable", 0);

Coro<int> read() {
  co_await corun::sleep(0s);
  co_return variable.get();
}

Coro<> write(int value) {
  co_await corun::sleep(0s);
  variable.set(value);
}

Coro<int> exchange(int value) {
  int before = variable.get();
  variable.set(value);
  co_return before;
}

// The calling thread's value for the length of a scope.
class Here {
 public:
  explicit Here(int value) : token_(variable.set(value)) {}
  ~Here() { variable.reset(token_); }
  Here(const Here&) = delete;
  Here& operator=(const Here&) = delete;

 private:
  corun::Token<int> token_;
};

}  // namespace

TEST_CASE("31: the runner copies the caller's context at its lazy initialization") {
  Runner runner;
  Here before(1);
  CHECK(runner.run(read()) == 1);
  Here after(2);
  CHECK(runner.run(read()) == 1);
}

TEST_CASE("31: asking for the loop is an initialization too") {
  Runner runner;
  Here before(1);
  runner.loop();
  Here after(2);
  CHECK(runner.run(read()) == 1);
}

TEST_CASE("32: every run works in the runner's own context") {
  Runner runner;
  CHECK(runner.run(exchange(1)) == 0);
  CHECK(runner.run(exchange(2)) == 1);
  auto main = []() -> Coro<int> {
    Context copy = corun::copy_context();
    co_return copy.run([] { return variable.get(); });
  };
  CHECK(runner.run(main()) == 2);
}

TEST_CASE("33: nothing that is set inside leaks to the calling thread") {
  Runner runner;
  runner.run(exchange(5));
  CHECK(variable.get() == 0);
  corun::run(exchange(6));
  CHECK(variable.get() == 0);
}

TEST_CASE("34: a context given to run is used as it is, and for that run only") {
  Runner runner;
  runner.run(exchange(1));
  Context given;
  CHECK(runner.run(exchange(7), {.context = &given}) == 0);
  CHECK(given.run([] { return variable.get(); }) == 7);
  CHECK(runner.run(exchange(2), {.context = &given}) == 7);
  CHECK(runner.run(read()) == 1);
}

TEST_CASE("35: a child task has a copy of its creator's context, made at its creation") {
  auto main = []() -> Coro<> {
    variable.set(1);
    auto first = corun::create_task(exchange(10));
    variable.set(2);
    auto second = corun::create_task(exchange(20));
    int seen_by_first = co_await first;
    int seen_by_second = co_await second;
    CHECK(seen_by_first == 1);
    CHECK(seen_by_second == 2);
    CHECK(variable.get() == 2);
  };
  corun::run(main());
}

TEST_CASE("36: tasks that are given one context share it") {
  auto main = []() -> Coro<> {
    Context shared;
    int first = co_await corun::create_task(exchange(1), {.context = &shared});
    int second = co_await corun::create_task(exchange(2), {.context = &shared});
    CHECK(first == 0);
    CHECK(second == 1);
    CHECK(shared.run([] { return variable.get(); }) == 2);
    CHECK(variable.get() == 0);
  };
  corun::run(main());
}

TEST_CASE("37: an awaited coroutine shares the context of its awaiter") {
  auto main = []() -> Coro<int> {
    co_await write(3);
    co_return variable.get();
  };
  CHECK(corun::run(main()) == 3);
}

TEST_CASE("38: callbacks run in a copy of the context taken when they were scheduled") {
  std::vector<int> seen;
  auto callback = [&] {
    seen.push_back(variable.get());
    variable.set(99);
  };
  auto main = [&]() -> Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    corun::Future<> future;
    variable.set(1);
    loop.call_soon(callback);
    variable.set(2);
    loop.call_later(1s, callback);
    variable.set(3);
    loop.call_at(loop.time() + 2s, callback);
    variable.set(4);
    future.add_done_callback([&](const corun::Future<>&) { callback(); });
    variable.set(5);
    co_await corun::sleep(3s);
    future.set_result();
    co_await corun::sleep(0s);
    CHECK(variable.get() == 5);
  };
  corun::run(main(), tests::virtual_time());
  CHECK(seen == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("38: callbacks that are given a context run in that very one") {
  auto main = []() -> Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    Context given;
    corun::Future<> future;
    auto count = [] { variable.set(variable.get() + 1); };
    loop.call_soon(count, &given);
    loop.call_later(1s, count, &given);
    loop.call_at(loop.time() + 1s, count, &given);
    loop.call_soon_threadsafe(count, &given);
    future.add_done_callback([=](const corun::Future<>&) { count(); }, &given);
    future.set_result();
    co_await corun::sleep(2s);
    CHECK(given.run([] { return variable.get(); }) == 5);
    CHECK(variable.get() == 0);
  };
  corun::run(main(), tests::virtual_time());
}

TEST_CASE("39: to_thread carries a copy of the context, run_in_executor does not") {
  auto main = []() -> Coro<> {
    variable.set(4);
    auto work = [] {
      int seen = variable.get();
      variable.set(40);
      return seen;
    };
    int carried = co_await corun::to_thread(work);
    CHECK(carried == 4);
    int plain = co_await corun::run_in_executor(nullptr, work);
    CHECK(plain == 0);
    CHECK(variable.get() == 4);
  };
  corun::run(main());
}

TEST_CASE("40: a main whose context is entered elsewhere is refused instead of hanging") {
  Runner runner;
  Context entered;
  bool ran = false;
  auto main = [&]() -> Coro<int> {
    ran = true;
    co_return 1;
  };
  Coro<int> refused = main();
  entered.run([&] { CHECK_THROWS_AS(runner.run(refused, {.context = &entered}), RuntimeError); });
  CHECK_FALSE(ran);
  CHECK(runner.run(std::move(refused), {.context = &entered}) == 1);
}

TEST_CASE("40: a context is entered in one place at a time") {
  Context context;
  context.run([&] { CHECK_THROWS_AS(context.run([] {}), RuntimeError); });
  CHECK(context.run([] { return 1; }) == 1);
}

TEST_CASE("41: the exception handler runs in the context of the callback or task that failed") {
  std::vector<int> seen;
  corun::RunnerOptions options;
  options.loop_factory = [&] {
    auto loop = corun::new_event_loop();
    loop->set_exception_handler(
        [&](corun::Loop&, const corun::ExceptionContext&) { seen.push_back(variable.get()); });
    return loop;
  };
  auto child = []() -> Coro<> {
    variable.set(2);
    co_await corun::sleep(0s);
    throw std::runtime_error("nobody reads this");
  };
  auto leftover = []() -> Coro<> {
    variable.set(3);
    try {
      co_await corun::Future<>();
    } catch (const corun::CancelledError&) {
      throw std::runtime_error("while cancelled");
    }
  };
  auto main = [&]() -> Coro<> {
    variable.set(1);
    corun::get_running_loop().call_soon([] { throw std::runtime_error("callback"); });
    variable.set(10);
    { static_cast<void>(corun::create_task(child())); }
    static_cast<void>(corun::create_task(leftover()));
    for (int pass = 0; pass < 5; ++pass) co_await corun::sleep(0s);
  };
  corun::run(main(), options);
  CHECK(seen == std::vector<int>{1, 2, 3});
}
