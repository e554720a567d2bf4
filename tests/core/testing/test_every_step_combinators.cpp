// SPDX-License-Identifier: MIT
// Each combinator, cancelled and interrupted at every step: its children end as its contract says, and nothing is left.
#include <corun/corun.hpp>
#include <atomic>
#include <thread>

#include "testing/everywhere.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::Task;
using corun::testing::Disturbance;
using tests::cancel_everywhere;
using tests::disturb_everywhere;

namespace {

// How many frames of one test are alive, and how often something ended in its own way.
struct Tally {
  int alive = 0;
  int finished = 0;

  struct Mark {
    Tally& tally;
    explicit Mark(Tally& t) : tally(t) { ++tally.alive; }
    ~Mark() { --tally.alive; }
  };
};

// A child of a few steps with a sleep in the middle.
Coro<int> child(Tally& tally, int value) {
  Tally::Mark mark(tally);
  co_await corun::sleep(0s);
  co_await corun::sleep(std::chrono::seconds(value));
  co_await corun::sleep(0s);
  ++tally.finished;
  co_return value;
}

// One whose clean-up awaits.
Coro<int> cleaning_child(Tally& tally, int value) {
  Tally::Mark mark(tally);
  auto body = [&]() -> Coro<int> { co_return co_await child(tally, value); };
  auto cleanup = []() -> Coro<> {
    co_await corun::sleep(0s);
    co_await corun::sleep(1s);
  };
  co_return co_await corun::with_cleanup(body, cleanup);
}

Coro<> failing_child(Tally& tally) {
  Tally::Mark mark(tally);
  co_await corun::sleep(1s);
  throw std::domain_error("E");
}

// Options that look at the tally after each run.
corun::testing::EveryStepOptions nothing_alive(Tally& tally) {
  corun::testing::EveryStepOptions options;
  options.check = [&tally] { CHECK(tally.alive == 0); };
  return options;
}

}  // namespace

TEST_CASE("at every step: sleep, checkpoint and nested coroutines") {
  Tally tally;
  auto body = [&]() -> Coro<> {
    co_await corun::checkpoint();
    co_await child(tally, 1);
    co_await corun::checkpoint();
    co_await corun::sleep(0s);
  };
  CHECK(disturb_everywhere(body, nothing_alive(tally)) == 5);
}

TEST_CASE("at every step: checkpoint throws a request that came while its task computed") {
  // The victim computes; the request comes from a callback that another task's step scheduled, between its steps.
  auto runs = cancel_everywhere([](Disturbance& request) -> Coro<> {
    int passed = 0;
    auto computing = [&]() -> Coro<> {
      for (int i = 0; i < 5; ++i) {
        co_await corun::sleep(0s);
        if (request.made()) FAIL("sleep(0) let the request pass");
        co_await corun::checkpoint();
        ++passed;
      }
    };
    auto victim = corun::create_task(computing());
    request.aim(victim);
    co_await corun::wait(victim);
    CHECK(victim.cancelled() == request.made());
    CHECK((passed == 5) == !request.made());
  });
  CHECK(runs > 5);
}

TEST_CASE("at every step: gather cancels all of its children") {
  Tally tally;
  auto body = [&]() -> Coro<> {
    auto [a, b, c] = co_await corun::gather(child(tally, 1), child(tally, 2), child(tally, 3));
    CHECK(a + b + c == 6);
  };
  CHECK(disturb_everywhere(body, nothing_alive(tally)) > 12);
  auto many = [&]() -> Coro<> {
    std::vector<Coro<int>> coros;
    for (int i = 0; i < 4; ++i) coros.push_back(child(tally, i));
    auto all = co_await corun::gather(std::move(coros));
    CHECK(all.size() == 4);
  };
  CHECK(disturb_everywhere(many, nothing_alive(tally)) > 8);
}

TEST_CASE("at every step: gather that fails leaves its siblings to their own end") {
  auto runs = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Tally tally;
    bool failed = false;
    auto sibling = corun::create_task(child(tally, 5));
    auto gathers = [&]() -> Coro<> {
      try {
        co_await corun::gather(failing_child(tally), sibling);
      } catch (const std::domain_error&) {
        failed = true;
      }
    };
    auto victim = corun::create_task(gathers());
    request.aim(victim);
    co_await corun::wait(victim);
    CHECK(victim.cancelled() == request.made());
    CHECK(failed == !request.made());
    co_await corun::wait(sibling);
    CHECK(sibling.cancelled() == (tally.finished == 0));  // only a gather that had not failed yet cancels it
    if (!request.made()) CHECK(tally.finished == 1);
    CHECK(tally.alive == 0);
  });
  CHECK(runs > 4);
}

TEST_CASE("at every step: gather_outcomes ends with all of its children") {
  Tally tally;
  auto body = [&]() -> Coro<> {
    auto [a, b] = co_await corun::gather_outcomes(cleaning_child(tally, 1), failing_child(tally));
    CHECK(a.value() == 1);
    CHECK(b.exception() != nullptr);
  };
  CHECK(disturb_everywhere(body, nothing_alive(tally)) > 8);
}

TEST_CASE("at every step: wait leaves its tasks alone") {
  auto when = GENERATE(corun::ReturnWhen::all_completed, corun::ReturnWhen::first_completed, corun::ReturnWhen::first_exception);
  auto runs = cancel_everywhere([&](Disturbance& request) -> Coro<> {
    Tally tally;
    std::vector<Task<int>> tasks;
    for (int i = 1; i <= 3; ++i) tasks.push_back(corun::create_task(cleaning_child(tally, i)));
    auto waits = [&]() -> Coro<> {
      auto sets = co_await corun::wait(tasks, {.timeout = 10s, .return_when = when});
      CHECK(sets.done.size() + sets.pending.size() == 3);
    };
    auto victim = corun::create_task(waits());
    request.aim(victim);
    for (auto& task : tasks) co_await task;
    CHECK(tally.finished == 3);
    co_await corun::wait(victim);
    CHECK(victim.cancelled() == request.made());
  });
  CHECK(runs > 4);
}

TEST_CASE("at every step: wait_for ends what it started, and a task given to it") {
  Tally tally;
  auto in_time = [&]() -> Coro<> {
    int got = co_await corun::wait_for(cleaning_child(tally, 1), 1min);
    CHECK(got == 1);
  };
  CHECK(disturb_everywhere(in_time, nothing_alive(tally)) > 5);
  auto too_late = [&]() -> Coro<> {
    auto task = corun::create_task(cleaning_child(tally, 30));
    bool timed_out = false;
    try {
      co_await corun::wait_for(task, 2s);
    } catch (const corun::TimeoutError&) {
      timed_out = true;
    }
    CHECK(timed_out);
    CHECK(task.cancelled());
  };
  CHECK(disturb_everywhere(too_late, nothing_alive(tally)) > 5);
}

TEST_CASE("at every step: as_completed leaves its tasks alone and closes its generator") {
  auto runs = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Tally tally;
    std::vector<Task<int>> tasks;
    for (int i = 3; i >= 1; --i) tasks.push_back(corun::create_task(child(tally, i)));
    std::vector<int> order;
    auto iterates = [&]() -> Coro<> {
      auto completed = corun::as_completed(tasks);
      while (auto task = co_await completed.next()) order.push_back(task->result());
    };
    auto victim = corun::create_task(iterates());
    request.aim(victim);
    for (auto& task : tasks) co_await task;
    CHECK(tally.finished == 3);
    co_await corun::wait(victim);
    CHECK(victim.cancelled() == request.made());
    CHECK(std::is_sorted(order.begin(), order.end()));
    CHECK((order.size() == 3 || request.made()));
  });
  CHECK(runs > 8);
}

TEST_CASE("at every step: timeout takes its timer and its request back") {
  Tally tally;
  auto limit = GENERATE(0s, 1s, 2s, 60s);
  std::vector<int> cancelling;
  auto body = [&]() -> Coro<> {
    auto inner = [&](corun::Timeout& scope) -> Coro<int> {
      scope.reschedule(corun::get_running_loop().time() + limit);
      co_return co_await cleaning_child(tally, 1);
    };
    bool timed_out = false;
    try {
      int got = co_await corun::timeout(limit, inner);
      CHECK(got == 1);
    } catch (const corun::TimeoutError&) {
      timed_out = true;
    }
    CHECK((timed_out ? limit < 60s : limit > 0s));
    CHECK(corun::current_task().cancelling() == 0);  // what got here was not asked to cancel
    co_await corun::sleep(0s);
  };
  CHECK(disturb_everywhere(body, nothing_alive(tally)) > 3);
}

TEST_CASE("at every step: a task group ends with all of its children") {
  Tally tally;
  auto body = [&]() -> Coro<> {
    int sum = co_await corun::task_group([&](corun::TaskGroup& group) -> Coro<int> {
      auto a = group.create_task(child(tally, 1));
      auto b = group.create_task(cleaning_child(tally, 2));
      int inside = co_await child(tally, 0);
      co_return inside + co_await a + co_await b;
    });
    CHECK(sum == 3);
  };
  CHECK(disturb_everywhere(body, nothing_alive(tally)) > 12);
}

TEST_CASE("at every step: a task group whose child fails ends with all of its children") {
  Tally tally;
  auto options = nothing_alive(tally);
  auto body = [&]() -> Coro<> {
    bool failed = false;
    try {
      co_await corun::task_group([&](corun::TaskGroup& group) -> Coro<> {
        group.create_task(failing_child(tally));
        group.create_task(cleaning_child(tally, 5));
        co_await child(tally, 9);
      });
    } catch (const corun::ExceptionGroup& group) {
      failed = true;
      CHECK(group.exceptions().size() == 1);
    }
    CHECK(failed);
    co_await corun::sleep(0s);
  };
  CHECK(disturb_everywhere(body, options) > 8);
}

TEST_CASE("at every step: what is shielded goes on to its end") {
  auto runs = cancel_everywhere([](Disturbance& request) -> Coro<> {
    Tally tally;
    auto inner = corun::create_task(cleaning_child(tally, 2));
    auto waits = [&]() -> Coro<> {
      int got = co_await corun::shield(inner);
      CHECK(got == 2);
    };
    auto victim = corun::create_task(waits());
    request.aim(victim);
    co_await corun::wait(victim);
    CHECK(victim.cancelled() == request.made());
    int got = co_await inner;
    CHECK(got == 2);
    CHECK(tally.finished == 1);
  });
  CHECK(runs > 3);
}

TEST_CASE("at every step: a generator's clean-up is awaited, whoever drops it") {
  int opened = 0, closed = 0;
  auto numbers = [&](int count) -> corun::AsyncGenerator<int> {
    ++opened;
    std::exception_ptr leaving;
    try {
      for (int i = 0; i < count; ++i) {
        co_await corun::sleep(1s);
        co_yield i;
      }
    } catch (...) {
      leaving = std::current_exception();
    }
    ++closed;
    co_await corun::sleep(0s);
    if (leaving) std::rethrow_exception(leaving);
  };
  corun::testing::EveryStepOptions options;
  options.check = [&] { CHECK(opened == closed); };
  auto iterates = [&](bool to_the_end) -> Coro<> {
    auto generator = numbers(3);
    int sum = 0;
    while (auto value = co_await generator.next()) {
      sum += *value;
      if (!to_the_end && *value == 1) break;
    }
    if (!to_the_end) co_await generator.aclose();
    CHECK(sum == (to_the_end ? 3 : 1));
  };
  CHECK(disturb_everywhere([&] { return iterates(true); }, options) > 4);
  opened = closed = 0;
  CHECK(disturb_everywhere([&] { return iterates(false); }, options) >= 4);
}

TEST_CASE("at every step: with_cleanup cleans up once the body has begun") {
  int begun = 0, cleaned = 0;
  corun::testing::EveryStepOptions options;
  options.check = [&] { CHECK(begun == cleaned); };
  auto body = [&]() -> Coro<> {
    auto work = [&]() -> Coro<> {
      ++begun;
      co_await corun::sleep(0s);
      co_await corun::sleep(1s);
    };
    auto cleanup = [&]() -> Coro<> {
      ++cleaned;
      co_await corun::sleep(0s);
    };
    co_await corun::with_cleanup(work, cleanup);
  };
  CHECK(disturb_everywhere(body, options) == 4);
}

TEST_CASE("at every step: to_thread ends its wait at once, and its function runs or does not begin") {
  std::atomic<int> ran{0};
  auto body = [&]() -> Coro<> {
    int got = co_await corun::to_thread([&] { return ++ran; });
    CHECK(got > 0);
    co_await corun::sleep(0s);
  };
  CHECK(disturb_everywhere(body) >= 3);
  CHECK(ran > 0);
}

TEST_CASE("at every step: a coroutine that another thread asked for ends, and the thread hears of it") {
  // The thread waits in to_thread; main is the one that is disturbed, and waits for the thread in its clean-up.
  auto body = []() -> Coro<> {
    corun::Loop& loop = corun::get_running_loop();
    std::atomic<bool> heard{false};
    auto ask = [&] {
      auto answer = corun::run_coroutine_threadsafe(
          [](int value) -> Coro<int> {
            co_await corun::sleep(0s);  // not a timer: with a thread outstanding the clock does not jump
            co_return value;
          }(4),
          loop);
      heard = answer.get() == 4;
    };
    auto work = corun::create_task(corun::to_thread(ask));
    auto waits = [&]() -> Coro<> { co_await corun::shield(work); };
    auto joins = [&]() -> Coro<> { co_await corun::wait(work); };
    co_await corun::with_cleanup(waits, joins);
    CHECK(heard);
  };
  CHECK(disturb_everywhere(body) >= 3);
}

TEST_CASE("at every step: a child process that is dropped is gone, whenever its task is cancelled") {
  auto body = []() -> Coro<> {
    corun::ProcessOptions options({"cat"});
    options.std_in = corun::Stdio::pipe();
    options.std_out = corun::Stdio::pipe();
    auto process = co_await corun::create_subprocess(options);
    auto result = co_await process.communicate("through");
    CHECK(result.out == "through");
    CHECK(result.status.success());
  };
  CHECK(cancel_everywhere(body) >= 3);
}
