// SPDX-License-Identifier: MIT
// sleep(0) has no frame of its own. Wherever a Coro can go, it must be a coroutine like any other all the same.
#include <corun/corun.hpp>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using corun::Coro;
using namespace std::chrono_literals;

namespace {

using Log = std::vector<std::string>;

Coro<> say(Log& log, std::string word) {
  log.push_back(std::move(word));
  co_return;
}

}  // namespace

TEST_CASE("sleep(0) gives the others one pass") {
  Log log;
  corun::run([](Log& into) -> Coro<> {
    auto task = corun::create_task(say(into, "other"));
    into.push_back("before");
    co_await corun::sleep(0s);
    into.push_back("after");
    co_await task;
  }(log));
  CHECK(log == Log{"before", "other", "after"});
}

TEST_CASE("sleep(0) can be kept, moved and awaited once") {
  bool refused = false;
  corun::run([](bool& into) -> Coro<> {
    Coro<> kept = corun::sleep(0s);
    CHECK(kept.valid());
    Coro<> moved = std::move(kept);
    CHECK_FALSE(kept.valid());
    co_await std::move(moved);
    CHECK_FALSE(moved.valid());
    try {
      co_await std::move(moved);
    } catch (const corun::RuntimeError&) {
      into = true;
    }
  }(refused));
  CHECK(refused);
}

TEST_CASE("sleep(0) can be a task, a child of gather, and the main coroutine") {
  corun::run([]() -> Coro<> {
    auto task = corun::create_task(corun::sleep(0s));
    co_await task;
    CHECK(task.done());
    co_await corun::gather(corun::sleep(0s), corun::sleep(-1s));
    auto cancelled = corun::create_task(corun::sleep(0s));
    co_await corun::sleep(0s);
    cancelled.cancel();
    bool thrown = false;
    try {
      co_await cancelled;
    } catch (const corun::CancelledError&) {
      thrown = true;
    }
    CHECK(thrown);
  }());
  corun::run(corun::sleep(0s));
}

TEST_CASE("a request that comes while sleep(0) waits is thrown there") {
  Log log;
  corun::run([](Log& into) -> Coro<> {
    auto body = [&]() -> Coro<> {
      try {
        co_await corun::sleep(0s);
      } catch (const corun::CancelledError& error) {
        into.push_back("cancelled: " + error.message());
      }
    };
    auto task = corun::create_task(body, {.eager_start = true});
    task.cancel("now");
    co_await task;
  }(log));
  CHECK(log == Log{"cancelled: now"});
}

TEST_CASE("a sleep(0) that is dropped is reported by name, a closed one is not") {
  Log warnings;
  corun::run([](Log& into) -> Coro<> {
    corun::get_running_loop().set_warning_handler([&](std::string_view text) { into.emplace_back(text); });
    { auto dropped = corun::sleep(0s); }
    corun::sleep(0s).close();
    corun::get_running_loop().set_warning_handler(nullptr);
    co_return;
  }(warnings));
  CHECK(warnings == Log{"coroutine 'sleep' was never awaited"});
}

TEST_CASE("a task that is destroyed in sleep(0) leaves nothing behind") {
  std::optional<corun::Task<>> left;
  auto loop = corun::new_event_loop();
  loop->set_exception_handler([](corun::Loop&, const corun::ExceptionContext&) {});
  auto spins = []() -> Coro<> {
    for (;;) co_await corun::sleep(0s);
  };
  loop->run_until_complete([](std::optional<corun::Task<>>& into, auto body) -> Coro<> {
    into = corun::create_task(body);
    co_await corun::sleep(0s);
  }(left, spins));
  loop->close();
  loop.reset();
  CHECK_FALSE(left->done());
}

TEST_CASE("delays of any unit become nanoseconds, held within what a clock can carry") {
  using corun::detail::to_nanoseconds;
  CHECK(to_nanoseconds(3us) == 3'000ns);
  CHECK(to_nanoseconds(-2ms) == -2'000'000ns);
  CHECK(to_nanoseconds(1h) == 3'600'000'000'000ns);
  CHECK(to_nanoseconds(std::chrono::duration<double>(0.5)) == 500'000'000ns);
  CHECK(to_nanoseconds(std::chrono::duration<unsigned char, std::milli>(200)) == 200'000'000ns);
  const auto most = to_nanoseconds(std::chrono::hours::max());
  CHECK(most > std::chrono::hours(24 * 365 * 140));
  CHECK(to_nanoseconds(std::chrono::hours::min()) == -most);
  CHECK(to_nanoseconds(std::chrono::seconds::max()) > std::chrono::hours(24 * 365 * 140));
  CHECK(to_nanoseconds(std::chrono::nanoseconds::max()) == 4'600'000'000'000'000'000ns);
}
