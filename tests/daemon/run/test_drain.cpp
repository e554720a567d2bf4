// SPDX-License-Identifier: MIT
#include "daemon/run/drain.hpp"

#include "durable_engine.hpp"
#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::JobRef;
using corund::job::State;
using corund::run::Drain;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

template <int seconds>
Coro<Json> nap(JobContext&) {
  co_await corun::sleep(std::chrono::seconds(seconds));
  co_return Json::object();
}

Coro<Json> deaf(JobContext&) {
  for (int i = 0; i < 10; ++i) try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
    }
  co_return Json::object();
}

}  // namespace

TEST_CASE("jobs within the grace finish, those beyond it are cancelled, and those that wait never start") {
  corund::config::Config config;
  config.groups["default"].limit = 2;
  Engine engine(config);
  engine.add("short", nap<5>);
  engine.add("long", nap<3600>);
  engine.run([&]() -> Coro<> {
    JobRef quick = engine.submit("short"), slow = engine.submit("long"), waiting = engine.submit("short");
    const auto begin = corun::get_running_loop().time();
    auto stopping = corun::create_task(engine.drain.stop(10s));
    co_await corun::sleep(1s);
    CHECK(waiting->state == State::cancelled);
    CHECK(engine.drain.phase() == Drain::Phase::finishing);
    const std::string quick_id(quick->id_view()), slow_id(slow->id_view());
    CHECK(engine.drain.status() == "waiting for 2 jobs (short " + quick_id + ", long " + slow_id + "), 9 s left");
    co_await corun::sleep(5s);
    CHECK(quick->state == State::succeeded);
    CHECK(engine.drain.status() == "waiting for 1 job (long " + slow_id + "), 4 s left");
    co_await stopping;
    CHECK(corun::get_running_loop().time() - begin == 10s);
    CHECK(slow->state == State::cancelled);
    CHECK(slow->record().outcome.reason == "the daemon stops");
    CHECK(engine.drain.phase() == Drain::Phase::done);
  });
}

TEST_CASE("many jobs that are awaited are counted by kind") {
  Engine engine;
  engine.add("short", nap<5>);
  engine.add("long", nap<9>);
  engine.run([&]() -> Coro<> {
    std::vector<JobRef> jobs;
    for (int i = 0; i < 4; ++i) jobs.push_back(engine.submit("long"));
    jobs.push_back(engine.submit("short"));
    auto stopping = corun::create_task(engine.drain.stop(10s));
    co_await corun::sleep(1s);
    CHECK(engine.drain.status() == "waiting for 5 jobs (4 long, short), 9 s left");
    co_await stopping;
  });
}

TEST_CASE("without a grace all are cancelled at once") {
  Engine engine;
  engine.add("long", nap<3600>);
  engine.run([&]() -> Coro<> {
    std::vector<JobRef> jobs;
    for (int i = 0; i < 100; ++i) jobs.push_back(engine.submit("long"));
    co_await corun::sleep(1s);
    const auto begin = corun::get_running_loop().time();
    co_await engine.drain.stop(0s);
    CHECK(corun::get_running_loop().time() == begin);
    for (auto& job : jobs) CHECK(job->state == State::cancelled);
  });
}

TEST_CASE("a job that does not hear is left after its grace and a moment") {
  corund::config::Config config;
  config.jobs.grace = 7s;
  Engine engine(config);
  engine.add("deaf", deaf);
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("deaf");
    co_await corun::sleep(1s);
    const auto begin = corun::get_running_loop().time();
    co_await engine.drain.stop(0s);
    CHECK(corun::get_running_loop().time() - begin == 8s);
    CHECK(job->state == State::running);
    CHECK(job->running->abandoned);
    job->running->main->cancel();
  });
}

TEST_CASE("finish_all works off what waits too") {
  corund::config::Config config;
  config.groups["default"].limit = 1;
  Engine engine(config);
  engine.add("short", nap<5>);
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("short"), second = engine.submit("short");
    const auto begin = corun::get_running_loop().time();
    co_await engine.drain.finish_all();
    CHECK(corun::get_running_loop().time() - begin == 10s);
    CHECK(first->state == State::succeeded);
    CHECK(second->state == State::succeeded);
  });
}

TEST_CASE("a job that ends itself as cancelled while the daemon drains is over, whatever its retry policy") {
  tests::StateDirectory directory;
  corun::Event held;
  auto add = [&](tests::DurableEngine& engine) {
    engine.add("gives_up", [&](JobContext&) -> Coro<Json> {
      co_await held.wait();
      throw corun::CancelledError("a child of it was cancelled");
    });
  };
  tests::DurableEngine(directory).live(add, [&](tests::DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("gives_up", [](corund::job::JobSpec& spec) { spec.make_extras().retry = corund::job::RetryPolicy{.max = 3}; });
    while (!job->running) co_await job->changed.wait();
    engine.admission.close();
    held.set();
    co_await corund::job::ended(job);
    CHECK(job->state == State::cancelled);
    CHECK(job->attempt == 1);
  });
}
