// SPDX-License-Identifier: MIT
// Depth costs heap and never machine stack: in every build, at every optimisation level, under every sanitizer.
#include <corun/corun.hpp>
#include <sys/resource.h>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::Coro;

namespace {

constexpr int depth = 200'000;

struct Count {
  int& alive;
  explicit Count(int& n) : alive(++n) {}
  ~Count() { --alive; }
};

Coro<int> nested(int left, int& alive) {
  Count here(alive);
  if (left == 0) co_return 0;
  int below = co_await nested(left - 1, alive);
  co_return below + 1;
}

Coro<> nested_wait(int left, int& alive) {
  Count here(alive);
  if (left == 0)
    co_await corun::Future<>();
  else
    co_await nested_wait(left - 1, alive);
}

// Awaits its way down to where the chain is suspended.
Coro<> until_deep(const int& alive) {
  while (alive <= depth) co_await corun::sleep(0s);
}

}  // namespace

TEST_CASE("200,000 nested awaits run, and return one after the other") {
  int alive = 0;
  CHECK(corun::run(nested(depth, alive)) == depth);
  CHECK(alive == 0);
}

TEST_CASE("a chain of 200,000 nested awaits is destroyed while suspended, with its loop") {
  int alive = 0;
  auto loop = corun::new_event_loop();
  loop->set_exception_handler([](corun::Loop&, const corun::ExceptionContext&) {});
  loop->run_until_complete([](int& deep) -> Coro<> {
    static_cast<void>(corun::create_task(nested_wait(depth, deep)));
    co_await until_deep(deep);
  }(alive));
  CHECK(alive == depth + 1);
  loop->close();
  loop.reset();
  CHECK(alive == 0);
}

TEST_CASE("a chain of 200,000 nested awaits is destroyed before its loop, when the runner leaves it") {
  int alive = 0;
  tests::Reports reports;
  auto options = tests::virtual_time_heard_by(reports);
  options.cancel_timeout = 0s;  // the chain gets no step any more
  corun::run(
      [](int& deep) -> Coro<> {
        static_cast<void>(corun::create_task(nested_wait(depth, deep), {.name = "deep"}));
        co_await until_deep(deep);
      }(alive),
      options);
  CHECK(alive == 0);
}

TEST_CASE("a cancellation passes through 200,000 nested awaits") {
  int alive = 0;
  corun::run([](int& deep) -> Coro<> {
    auto task = corun::create_task(nested_wait(depth, deep));
    co_await until_deep(deep);
    task.cancel();
    co_await corun::wait(task);
    CHECK(task.cancelled());
  }(alive));
  CHECK(alive == 0);
}

TEST_CASE("a coroutine that was never started, and one that ended, leave a deep chain's frames to the pool") {
  // A second chain of the same depth takes its frames from the first one's: the resident size does not double.
  auto resident_max_kib = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  int alive = 0;
  corun::run(nested(depth, alive));
  const long before = resident_max_kib();
  for (int i = 0; i < 5; ++i) corun::run(nested(depth, alive));
#if CORUN_RECYCLE_FRAMES
  CHECK(resident_max_kib() - before < 16 * 1024);
#endif
  CHECK(before > 0);
}
