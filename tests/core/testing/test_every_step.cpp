// SPDX-License-Identifier: MIT
// The helper itself: it reaches every step, does what it says there, and finds what is left behind.
#include <corun/testing/every_step.hpp>
#include <set>
#include <string>
#include <vector>

#include "support/reports.hpp"
#include "testing/everywhere.hpp"

using namespace std::chrono_literals;
using corun::CancelledError;
using corun::Coro;
using corun::RuntimeError;
using corun::testing::cancel_at_every_step;
using corun::testing::cancel_at_step;
using corun::testing::Disturbance;
using corun::testing::interrupt_at_every_step;
using tests::text_of;

namespace {

using Log = std::vector<std::string>;

// Says how far it got.
Coro<> three_steps(Log& log) {
  log.push_back("1");
  co_await corun::sleep(0s);
  log.back() += "2";
  co_await corun::sleep(1h);
  log.back() += "3";
}

Coro<> wait_for_ever() { co_await corun::Future<>(); }

}  // namespace

TEST_CASE("a body is cancelled before each of its steps, and left alone in the last run") {
  Log log;
  std::size_t runs = cancel_at_every_step([&] { return three_steps(log); });
  CHECK(runs == 3);
  CHECK(log == Log{"1", "12", "123"});  // before the first step there was nothing to say
}

TEST_CASE("a body is interrupted before each of its steps, as by a Runner's SIGINT") {
  Log log;
  int cancelled = 0;
  std::size_t runs = interrupt_at_every_step([&]() -> Coro<> {
    try {
      co_await three_steps(log);
    } catch (const CancelledError&) {
      ++cancelled;
      throw;
    }
  });
  CHECK(runs == 3);
  CHECK(log == Log{"1", "12", "123"});
  CHECK(cancelled == 2);  // the first time the body never ran
}

TEST_CASE("steps of others count, so a request comes between them too") {
  // Two tasks of three steps each and main's own: there is a run for every one of them while main is alive.
  std::vector<int> seen;
  std::size_t runs = cancel_at_every_step([&]() -> Coro<> {
    int steps = 0;
    struct Note {
      std::vector<int>& seen;
      int& steps;
      ~Note() { seen.push_back(steps); }
    } note{seen, steps};
    auto other = [&]() -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        ++steps;
        co_await corun::sleep(0s);
      }
    };
    co_await corun::gather(other(), other());
  });
  REQUIRE(seen.size() == runs);
  CHECK(seen.back() == 6);
  CHECK(std::set<int>(seen.begin(), seen.end()).size() >= 6);
}

TEST_CASE("a request can be aimed at another task than main") {
  std::vector<bool> cancelled;
  std::size_t runs = cancel_at_every_step([&](Disturbance& request) -> Coro<> {
    Log log;
    auto victim = corun::create_task(three_steps(log));
    request.aim(victim);
    while (!victim.done()) co_await corun::sleep(1h);
    CHECK(victim.cancelled() == request.made());
    cancelled.push_back(victim.cancelled());
  });
  CHECK(runs + 1 == cancelled.size());
  CHECK_FALSE(cancelled.back());
  CHECK(std::count(cancelled.begin(), cancelled.end(), true) == static_cast<long>(runs));
  CHECK(cancel_at_every_step([](Disturbance&) -> Coro<> { co_await corun::sleep(1s); }) == 0);  // aimed at nobody
}

TEST_CASE("the same body has the same steps every time") {
  auto body = []() -> Coro<> {
    corun::Queue<int> queue(1);
    auto produce = [&]() -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        co_await queue.put(i);
        co_await corun::sleep(std::chrono::minutes(i));
      }
    };
    co_await corun::task_group([&](corun::TaskGroup& group) -> Coro<> {
      group.create_task(produce());
      for (int i = 0; i < 3; ++i) co_await queue.get();
    });
  };
  std::size_t runs = cancel_at_every_step(body);
  CHECK(runs > 8);
  CHECK(cancel_at_every_step(body) == runs);
  CHECK(interrupt_at_every_step(body) == runs);
}

TEST_CASE("a task that outlives its body is found, unless that is allowed") {
  auto body = []() -> Coro<> {
    static_cast<void>(corun::create_task(wait_for_ever(), {.name = "left"}));
    co_await corun::sleep(0s);
  };
  std::string text = text_of<RuntimeError>([&] { cancel_at_every_step(body); });
  CHECK(text.find("cancelled before step 2: \na task is left:") == 0);
  CHECK(text.find("'left'") != std::string::npos);
  CHECK(text.find("in async wait_for_ever()") != std::string::npos);
  CHECK(cancel_at_every_step(body, {.tasks_may_remain = true}) == 3);
}

TEST_CASE("a timer that outlives its body is found") {
  auto body = []() -> Coro<> {
    corun::get_running_loop().call_later(1h, [] {});
    co_return;
  };
  CHECK(text_of<RuntimeError>([&] { cancel_at_step(2, body); }).find("1 timers are left") != std::string::npos);
}

TEST_CASE("a wakeup that is lost is found: nothing can end the wait") {
  // A lock as one would write it without thought: who is cancelled between the wakeup and its turn takes the turn along.
  struct Careless {
    bool held = false;
    std::vector<corun::Future<>> waiting;
    Coro<> acquire() {
      if (held) {
        corun::Future<> turn;
        waiting.push_back(turn);
        co_await turn;
      }
      held = true;
    }
    void release() {
      held = false;
      while (!waiting.empty()) {
        auto next = waiting.front();
        waiting.erase(waiting.begin());
        if (next.done()) continue;
        held = true;
        return next.set_result();
      }
    }
  };
  auto body = [](Disturbance& request) -> Coro<> {
    Careless lock;
    auto work = [&]() -> Coro<> {
      co_await lock.acquire();
      co_await corun::sleep(0s);
      lock.release();
    };
    auto a = corun::create_task(work());
    auto victim = corun::create_task(work());
    auto b = corun::create_task(work());
    request.aim(victim);
    co_await a;
    co_await b;
    co_await corun::wait(victim);
  };
  std::string text = text_of<RuntimeError>([&] { cancel_at_every_step(body); });
  CHECK(text.find("cancelled before step ") == 0);
  CHECK(text.find("deadlock: nothing is ready") != std::string::npos);
}

TEST_CASE("what the loop reports makes the run fail, unless that is allowed") {
  auto body = []() -> Coro<> {
    auto fails = []() -> Coro<> {
      throw std::domain_error("unheard");
      co_return;
    };
    { auto lost = corun::create_task(fails()); }
    co_await corun::sleep(1s);
  };
  CHECK(text_of<RuntimeError>([&] { cancel_at_step(3, body); }).find("never retrieved") != std::string::npos);
  CHECK(cancel_at_every_step(body, {.reports_may_come = true}) == 3);
}

TEST_CASE("the caller's check comes after each run, while its loop is open") {
  std::size_t checks = 0;
  std::optional<corun::Event> event;
  auto body = [&]() -> Coro<> {
    event.emplace();
    co_await corun::timeout(1s, [&](corun::Timeout&) { return event->wait(); });
  };
  auto check = [&] { ++checks; };
  std::size_t step = 1;
  while (true) {
    try {
      if (!cancel_at_step(step, body, {.check = check})) break;
    } catch (const corun::TimeoutError&) {  // the run that nobody disturbed
      break;
    }
    ++step;
  }
  CHECK(step > 2);
  CHECK(checks == step - 1);
}

TEST_CASE("another exception than the one asked for leaves the helper as it is") {
  auto body = []() -> Coro<> {
    co_await corun::sleep(0s);
    throw std::domain_error("mine");
  };
  CHECK_THROWS_AS(cancel_at_every_step(body), std::domain_error);
  auto endless = []() -> Coro<> {
    for (;;) {
      try {
        co_await corun::sleep(0s);
      } catch (const CancelledError&) {
        break;
      }
    }
  };
  std::string text = text_of<RuntimeError>([&] { cancel_at_every_step(endless, {.steps_max = 50}); });
  CHECK(text == "the body has not ended after 50 steps");
}
