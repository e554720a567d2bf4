// SPDX-License-Identifier: MIT
#include "daemon/run/supervisor.hpp"

#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::JobRef;
using corund::job::State;
using corund::run::CancelResult;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

Coro<Json> sleepy(JobContext&) {
  co_await corun::sleep(1h);
  co_return Json{{"slept", true}};
}

// Swallows so many cancellations.
template <int times>
Coro<Json> stubborn(JobContext&) {
  for (int i = 0; i <= times; ++i) {
    try {
      co_await corun::sleep(1h);
      break;
    } catch (const corun::CancelledError&) {
      if (i == times) throw;
    }
  }
  co_return Json::object();
}

}  // namespace

TEST_CASE("a job's result is its outcome, and its times are kept") {
  Engine engine;
  engine.add("sleepy", sleepy);
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("sleepy");
    CHECK(job->state == State::running);
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
    CHECK(job->record().outcome.result.view() == R"({"slept":true})");
    CHECK(job->attempt == 1);
    CHECK(job->record().usage.steps >= 2);
    CHECK(engine.supervisor.running().empty());
  });
}

TEST_CASE("the time limit cancels, and what unwinds from it has timed out") {
  Engine engine;
  engine.add("sleepy", sleepy, {.timeout = 10s});
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    JobRef job = engine.submit("sleepy"), sooner = engine.submit("sleepy", [](auto& spec) { spec.timeout = 1s; });
    co_await corund::job::ended(sooner);
    CHECK(corun::get_running_loop().time() - begin == 1s);
    CHECK(sooner->state == State::timed_out);
    co_await corund::job::ended(job);
    CHECK(corun::get_running_loop().time() - begin == 10s);
    CHECK(job->state == State::timed_out);
    CHECK_FALSE(job->cancellation->escalated.size());
  });
}

TEST_CASE("a job that returns in spite of its time limit has succeeded, as under asyncio's timeout") {
  Engine engine;
  engine.add("swallow", [](JobContext&) -> Coro<Json> {
    try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
    }
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("swallow", [](auto& spec) { spec.timeout = 1s; });
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
  });
}

TEST_CASE("a cancellation is delivered once, and its grace ends in a second one") {
  Engine engine;
  engine.add("stubborn", stubborn<1>);
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    JobRef job = engine.submit("stubborn", [](auto& spec) { spec.grace = 5s; });
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
    engine.supervisor.request_cancel(*job, "enough");
    engine.supervisor.request_cancel(*job, "a second request without force changes nothing");
    co_await corund::job::ended(job);
    CHECK(corun::get_running_loop().time() - begin == 5s);
    CHECK(job->state == State::cancelled);
    CHECK(job->record().outcome.reason == "enough");
    CHECK(corund::run::cancel_result(*job) == CancelResult::unwound);
    CHECK(job->cancellation->escalated.find("grace") != std::string::npos);
    CHECK(job->cancellation->function.find("stubborn") != std::string::npos);
  });
}

TEST_CASE("a job that swallows the second one is given up, and ends when it ends") {
  Engine engine;
  engine.add("stubborn", stubborn<2>);
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("stubborn", [](auto& spec) { spec.grace = 5s; });
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
    engine.supervisor.request_cancel(*job, "enough", true);
    CHECK(engine.supervisor.awaited() == 1);
    co_await corun::sleep(2s);
    CHECK(job->running->abandoned);
    CHECK(corund::run::cancel_result(*job) == CancelResult::running);
    CHECK(engine.supervisor.awaited() == 0);
    co_await corund::job::ended(job);
    CHECK(corund::run::cancel_result(*job) == CancelResult::swallowed);
    CHECK(engine.supervisor.awaited() == 0);
    CHECK(engine.supervisor.running().empty());
  });
}

TEST_CASE("a job that is cancelled before its first step never runs its kind, and still ends") {
  Engine engine;
  bool ran = false;
  engine.add("never", [&ran](JobContext&) -> Coro<Json> {
    ran = true;
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("never");
    engine.supervisor.request_cancel(*job, "too late");
    co_await corund::job::ended(job);
    CHECK(job->state == State::cancelled);
    CHECK(corund::run::cancel_result(*job) == CancelResult::not_started);
    CHECK_FALSE(ran);
  });
}

TEST_CASE("tasks left behind are cancelled, named and waited for, also those that their clean-up starts") {
  Engine engine;
  int cleaned = 0;
  auto left = [&cleaned]() -> Coro<> {
    try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
      ++cleaned;
      throw;
    }
  };
  auto breeder = [&cleaned, left]() -> Coro<> {
    try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
      (void)corun::create_task(left, {.name = "grandchild"});
      throw;
    }
  };
  engine.add("leave", [&](JobContext&) -> Coro<Json> {
    (void)corun::create_task(left, {.name = "one"});
    (void)corun::create_task(breeder, {.name = "two"});
    co_await corun::sleep(1s);
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("leave");
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
    CHECK(job->record().leftovers == std::vector<std::string>{"one", "two", "grandchild"});
    CHECK(cleaned == 2);  // "one", and "grandchild" after its first step
    CHECK(corun::all_tasks().size() == 1);
  });
}

TEST_CASE("a leftover that does not end is waited for as long as the grace and a moment") {
  Engine engine;
  auto forever = []() -> Coro<> {
    for (int i = 0; i < 5; ++i) try {
        co_await corun::sleep(1h);
      } catch (const corun::CancelledError&) {
      }
  };
  engine.add("leave", [&](JobContext&) -> Coro<Json> {
    (void)corun::create_task(forever, {.name = "stays"});
    co_await corun::sleep(0s);
    co_await corun::sleep(0s);
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    JobRef job = engine.submit("leave", [](auto& spec) { spec.grace = 3s; });
    co_await corund::job::ended(job);
    CHECK(corun::get_running_loop().time() - begin == 4s);
    CHECK(job->record().leftovers == std::vector<std::string>{"stays"});
  });
}

TEST_CASE("a child job has its parent's time limit and owner") {
  Engine engine;
  engine.add("sleepy", sleepy);
  engine.add("parent", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("sleepy", Json::object()); });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("parent", [](auto& spec) {
      spec.timeout = 2s;
      spec.owner = 1234;
    });
    co_await corun::sleep(1s);
    REQUIRE(engine.supervisor.awaited() == 2);
    JobRef child;
    for (auto& running : engine.supervisor.running()) child = JobRef(running);
    CHECK(child->parent == job->id);
    CHECK(child->spec.owner == 1234);
    co_await corund::job::ended(job);
    CHECK(job->state == State::timed_out);
    CHECK(child->is_over());
    CHECK(child->record().usage.steps > 0);
  });
}
