// SPDX-License-Identifier: MIT
#include "daemon/run/admission.hpp"

#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::JobRef;
using corund::job::JobSpec;
using corund::job::RetryPolicy;
using corund::job::State;
using corund::job::Wait;
using corund::run::Refusal;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

Coro<Json> nap(JobContext&) {
  co_await corun::sleep(1s);
  co_return Json::object();
}

corun::time_point now() { return corun::get_running_loop().time(); }

}  // namespace

// The schedule's clock is the wall's, which does not jump with the loop's: real time, and little of it.
TEST_CASE("a delayed job starts when its time has come") {
  Engine engine;
  std::vector<std::string> order;
  engine.add("note", [&](JobContext& job) -> Coro<Json> {
    order.push_back(job.labels().front().second);
    co_return Json::object();
  });
  engine.run_in_real_time([&]() -> Coro<> {
    auto submit = [&](std::string name, std::chrono::nanoseconds delay) {
      return engine.submit("note", [=](JobSpec& spec) {
        spec.delay = delay;
        spec.make_extras().labels = {{"name", name}};
      });
    };
    const auto begin = now();
    JobRef late = submit("late", 60ms);
    JobRef early = submit("early", 30ms);
    JobRef at_once = submit("at once", 0ms);
    CHECK(late->state == State::delayed);
    CHECK(late->wait == Wait::time);
    co_await corund::job::ended(late);
    CHECK(now() - begin >= 59ms);
    CHECK(order == std::vector<std::string>{"at once", "early", "late"});
  });
}

TEST_CASE("a delayed job that is cancelled does not start") {
  Engine engine;
  bool started = false;
  engine.add("start", [&](JobContext&) -> Coro<Json> {
    started = true;
    co_return Json::object();
  });
  engine.run_in_real_time([&]() -> Coro<> {
    JobRef job = engine.submit("start", [](JobSpec& spec) { spec.delay = 20ms; });
    CHECK(engine.admission.waiting() == 1);
    CHECK(engine.admission.cancel(*job, "not wanted"));
    CHECK(job->state == State::cancelled);
    CHECK(engine.admission.waiting() == 0);
    co_await corun::sleep(40ms);
    CHECK_FALSE(started);
  });
}

TEST_CASE("a failed job is tried again as often as its policy says, and each attempt is kept") {
  Engine engine;
  int attempts = 0;
  engine.add("fail", [&](JobContext& job) -> Coro<Json> {
    CHECK(job.attempt() == ++attempts);
    if (attempts == 2) {
      co_await corun::sleep(1h);  // timed out
    }
    throw corund::JobFailure("Bad", "attempt " + std::to_string(attempts));
  });
  engine.run_in_real_time([&]() -> Coro<> {
    JobRef job = engine.submit("fail", [](JobSpec& spec) {
      spec.make_extras().retry = RetryPolicy{3, 5ms, 2.0};
      spec.timeout = 20ms;
    });
    co_await corund::job::ended(job);
    CHECK(attempts == 3);
    CHECK(job->state == State::failed);
    const auto& record = job->record();
    REQUIRE(record.past.size() == 2);
    CHECK(record.past[0].state == State::failed);
    CHECK(record.past[0].error_message == "attempt 1");
    CHECK(record.past[1].state == State::timed_out);
    CHECK(record.outcome.error_message == "attempt 3");
    CHECK(job->attempt == 3);
    CHECK(engine.table.counts()[static_cast<std::size_t>(State::failed)] == 1);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("a job that succeeds, or is cancelled, is not tried again") {
  Engine engine;
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    auto often = [](JobSpec& spec) { spec.make_extras().retry = RetryPolicy{5, 0s, 1.0}; };
    JobRef good = engine.submit("nap", often);
    JobRef cancelled = engine.submit("nap", often);
    co_await corun::sleep(10ms);
    engine.admission.cancel(*cancelled, "enough");
    co_await corund::job::ended(good);
    co_await corund::job::ended(cancelled);
    CHECK(good->attempt == 1);
    CHECK(good->state == State::succeeded);
    CHECK(cancelled->attempt == 1);
    CHECK(cancelled->state == State::cancelled);
  });
}

TEST_CASE("a retry's delay grows by its factor, and never past a day") {
  CHECK(RetryPolicy{3, 1s, 2.0}.delay_after(1) == 1s);
  CHECK(RetryPolicy{3, 1s, 2.0}.delay_after(3) == 4s);
  CHECK(RetryPolicy{999, 1s, 10.0}.delay_after(900) == 24h);
  CHECK(RetryPolicy{3, 0s, 2.0}.delay_after(2) == 0s);
}

TEST_CASE("a job runs after those it names, and not at all where one of them does not succeed") {
  Engine engine;
  std::vector<std::string> order;
  engine.add("note", [&](JobContext& job) -> Coro<Json> {
    const std::string name = job.labels().front().second;
    order.push_back(name);
    co_await corun::sleep(1s);
    if (name == "bad") throw corund::JobFailure("Bad", "it is");
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    auto submit = [&](std::string name, std::vector<JobRef> after) {
      return engine.submit("note", [&](JobSpec& spec) {
        spec.make_extras().labels = {{"name", name}};
        for (auto& job : after) spec.make_extras().after.push_back(job->id);
      });
    };
    JobRef a = submit("a", {});
    JobRef b = submit("b", {});
    JobRef bad = submit("bad", {});
    JobRef both = submit("both", {a, b, a});
    JobRef doomed = submit("doomed", {a, bad});
    JobRef doomed_too = submit("doomed too", {doomed});
    CHECK(both->state == State::held);
    CHECK(engine.admission.waits_for(*both) == a->id);
    co_await corund::job::ended(both);
    co_await corund::job::ended(doomed_too);
    CHECK(order == std::vector<std::string>{"a", "b", "bad", "both"});
    CHECK(doomed->state == State::cancelled);
    CHECK(doomed->record().outcome.error_type == corund::job::dependency_failed);
    CHECK(doomed->record().outcome.error_message == bad->id.to_string());
    CHECK(doomed_too->record().outcome.error_message == doomed->id.to_string());
    // One that has ended already counts as it ended.
    JobRef later = submit("later", {a});
    co_await corund::job::ended(later);
    CHECK(later->state == State::succeeded);
    JobRef never = submit("never", {bad});
    CHECK(never->state == State::cancelled);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("a job cannot come after one that is not known, or not its owner's") {
  Engine engine;
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    JobRef theirs = engine.submit("nap", [](JobSpec& spec) { spec.owner = 7; });
    for (corund::job::Ulid id : {theirs->id, corund::job::Ulid(1, 2)}) {
      auto opened = engine.admission.open(corund::run::now_us());
      (*opened)->spec.kind = engine.registry.find("nap");
      (*opened)->spec.make_extras().after = {id};
      auto admitted = engine.admission.admit(**opened);
      REQUIRE_FALSE(admitted.has_value());
      CHECK(admitted.error().why == Refusal::Why::no_such_job);
      CHECK(admitted.error().job == id);
    }
    co_await corund::job::ended(theirs);
  });
}

TEST_CASE("a paused group takes jobs and starts none until it is resumed") {
  Engine engine;
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    CHECK_FALSE(engine.admission.set_paused("nobody's", true));
    for (std::string group : {"default", ""}) {
      CHECK(engine.admission.set_paused(group, true));
      JobRef job = engine.submit("nap");
      co_await corun::sleep(10s);
      CHECK(job->state == State::queued);
      CHECK(engine.admission.set_paused(group, false));
      co_await corund::job::ended(job);
      CHECK(job->state == State::succeeded);
    }
  });
}

TEST_CASE("a group's limit can be raised and lowered while jobs wait") {
  Engine engine;
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    CHECK(engine.admission.set_limit("one", 1));
    std::vector<JobRef> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(engine.submit("nap", [](JobSpec& spec) { spec.group = "one"; }));
    auto running = [&] { return engine.admission.groups().find("one")->running(); };
    CHECK(running() == 1);
    CHECK(engine.admission.set_limit("one", 4));
    CHECK(running() == 4);
    CHECK(engine.admission.set_limit("one", 0));
    co_await corun::sleep(5s);
    CHECK(running() == 0);
    CHECK(engine.admission.set_limit("one", 100));
    for (auto& job : jobs) co_await corund::job::ended(job);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("a key stands for its job as long as that is known, for its owner only") {
  corund::config::Config config;
  Engine engine(config, {.memory_records = 1});
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("nap", [](JobSpec& spec) { spec.make_extras().key = "k"; });
    CHECK(engine.admission.by_key(0, "k") == &*job);
    CHECK(engine.admission.by_key(1, "k") == nullptr);
    CHECK(engine.admission.by_key(0, "other") == nullptr);
    co_await corund::job::ended(job);
    CHECK(engine.admission.by_key(0, "k") == &*job);
    job.release();
    JobRef next = engine.submit("nap");
    co_await corund::job::ended(next);
    CHECK(engine.admission.by_key(0, "k") == nullptr);
  });
}

TEST_CASE("several jobs are taken together or not at all") {
  corund::config::Config config;
  config.limits.jobs_queued_per_uid = 3;
  Engine engine(config);
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    auto open = [&](int count) {
      std::vector<corund::job::Job*> jobs;
      for (int i = 0; i < count; ++i) {
        jobs.push_back(*engine.admission.open(corund::run::now_us()));
        jobs.back()->spec.kind = engine.registry.find("nap");
        jobs.back()->spec.args.assign("{}");
        jobs.back()->spec.delay = 1h;
      }
      return jobs;
    };
    auto refused = engine.admission.admit_all(open(4));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().limit == "limits.jobs_queued_per_uid");
    CHECK(engine.table.size() == 0);
    CHECK(engine.admission.waiting() == 0);
    auto taken = engine.admission.admit_all(open(3));
    REQUIRE(taken.has_value());
    CHECK(engine.admission.waiting() == 3);
    CHECK_FALSE(engine.admission.admit_all(open(1)).has_value());
    engine.admission.cancel_waiting("over");
    co_return;
  });
}

TEST_CASE("a long chain of jobs falls one after the other") {
  Engine engine({}, {.memory_records = 10});
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("nap", [](JobSpec& spec) { spec.delay = 1h; });
    corund::job::Ulid before = first->id;
    JobRef last;
    for (int i = 0; i < 50'000; ++i) {
      last = engine.submit("nap", [&](JobSpec& spec) { spec.make_extras().after = {before}; });
      before = last->id;
    }
    CHECK(engine.admission.waiting() == 50'001);
    engine.admission.cancel(*first, "not wanted");
    CHECK(last->state == State::cancelled);
    CHECK(engine.admission.waiting() == 0);
    co_return;
  });
}

TEST_CASE("many jobs that wait for two fall together in little time") {
  Engine engine;
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    JobRef a = engine.submit("nap", [](JobSpec& spec) { spec.delay = 1h; });
    JobRef b = engine.submit("nap", [](JobSpec& spec) { spec.delay = 1h; });
    for (int i = 0; i < 30'000; ++i) (void)engine.submit("nap", [&](JobSpec& spec) { spec.make_extras().after = {a->id, b->id}; });
    engine.admission.cancel(*a, "not wanted");
    CHECK(engine.admission.waiting() == 1);
    engine.admission.cancel(*b, "nor this");
    CHECK(engine.admission.waiting() == 0);
    co_return;
  });
}

TEST_CASE("a job whose time limit has struck is not tried again once somebody cancels it") {
  Engine engine;
  engine.add("slow.stop", [](JobContext&) -> Coro<Json> {
    try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
    }
    co_await corun::sleep(5s);
    throw corun::CancelledError("done cleaning");
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("slow.stop", [](JobSpec& spec) {
      spec.timeout = 1s;
      spec.make_extras().retry = RetryPolicy{5, 0s, 1.0};
    });
    co_await corun::sleep(2s);
    CHECK(engine.admission.cancel(*job, "enough"));
    co_await corund::job::ended(job);
    CHECK(job->attempt == 1);
    CHECK(job->state == State::timed_out);
  });
}

TEST_CASE("jobs that come together count the contexts that they will make") {
  corund::config::Config config;
  config.limits.contexts_per_uid = 3;
  Engine engine(config);
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    auto open = [&](int count) {
      std::vector<corund::job::Job*> jobs;
      for (int i = 0; i < count; ++i) {
        jobs.push_back(*engine.admission.open(corund::run::now_us()));
        jobs.back()->spec.kind = engine.registry.find("nap");
        jobs.back()->spec.context = corund::job::ContextChoice::named;
        jobs.back()->spec.make_extras().context_name = "c" + std::to_string(i);
      }
      return jobs;
    };
    auto refused = engine.admission.admit_all(open(4));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().limit == "limits.contexts_per_uid");
    CHECK(engine.admission.admit_all(open(3)).has_value());
    co_await corun::sleep(2s);
  });
}
