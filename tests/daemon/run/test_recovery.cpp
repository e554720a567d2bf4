// SPDX-License-Identifier: MIT
// A daemon's memory dies at any moment and its store stays: each test runs one engine, drops it without a word, and runs the next on the
// same files.
#include "daemon/run/recovery.hpp"

#include <cerrno>
#include <filesystem>

#include "../store/fault_vfs.hpp"
#include "daemon/store/database.hpp"
#include "durable_engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::Job;
using corund::job::JobRef;
using corund::job::JobSpec;
using corund::job::RetryPolicy;
using corund::job::State;
using corund::job::Wait;
using tests::DurableEngine;
using tests::StateDirectory;
using namespace std::chrono_literals;

namespace {

void add_kinds(DurableEngine& engine) {
  engine.add("forever", [](JobContext&) -> Coro<Json> {
    co_await corun::sleep(1h);
    co_return Json::object();
  });
  engine.add("quick", [](JobContext& job) -> Coro<Json> { co_return Json{{"attempt", job.attempt()}}; });
}

}  // namespace

TEST_CASE("a durable job that ended is known to the next daemon, and its body is read from the disk") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick", [](JobSpec& spec) { spec.make_extras().labels = {{"a", "b"}}; }, R"({"x":1})");
    co_await engine.admission.acknowledged(job);
    co_await corund::job::ended(job);
    CHECK(job->is_end_stored);
    id = job->id.to_string();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.recovery.waiting() == 0);
    Job* job = engine.table.find(id);
    REQUIRE(job);
    CHECK(job->state == State::succeeded);
    CHECK(job->spec.labels().size() == 1);
    CHECK(job->is_shelved());
    auto body = co_await engine.ledger.body_of(JobRef(*job));
    REQUIRE(body);
    CHECK(body->args.view() == R"({"x":1})");
    CHECK(body->record.outcome.result.view() == R"({"attempt":1})");
    CHECK(body->record.past.empty());
    CHECK(body->record.usage.steps > 0);
  });
}

TEST_CASE("jobs that waited wait again, in their order and priority") {
  StateDirectory directory;
  corund::config::Config config;
  config.groups["one"].limit = 1;
  DurableEngine(directory, config).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    engine.admission.set_paused("one", true);
    std::vector<JobRef> jobs;
    for (int i = 0; i < 6; ++i)
      jobs.push_back(engine.submit_durable("quick", [i](JobSpec& spec) {
        spec.group = "one";
        spec.priority = i == 4 ? 1 : 0;
        spec.make_extras().labels = {{"n", std::to_string(i)}};
      }));
    for (auto& job : jobs) co_await engine.admission.acknowledged(job);
    CHECK(engine.admission.waiting() == 6);
  });
  DurableEngine(directory, config).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.recovery.waiting() == 6);
    // The pause outlived the daemon too.
    CHECK(engine.admission.groups().find("one")->paused());
    CHECK(engine.admission.waiting() == 6);
    std::vector<JobRef> jobs;
    corund::job::Table::Cursor cursor(engine.table, corund::job::Table::Cursor::Direction::oldest_first);
    while (Job* job = cursor.next()) jobs.emplace_back(*job);
    REQUIRE(jobs.size() == 6);
    engine.admission.set_paused("one", false);
    std::vector<std::pair<std::int64_t, std::string>> order;
    for (auto& job : jobs) {
      co_await corund::job::ended(job);
      order.emplace_back(job->started_us, job->spec.labels()[0].second);
    }
    std::ranges::sort(order);
    std::string text;
    for (auto& [at, name] : order) text += name;
    CHECK(text == "401235");
  });
}

TEST_CASE("a job that ran when the daemon died is lost, or tried again where its policy says so") {
  StateDirectory directory;
  std::string once, again;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef first = engine.submit_durable("forever");
    JobRef second = engine.submit_durable("forever", [](JobSpec& spec) { spec.make_extras().retry = RetryPolicy{2, 0s, 1.0}; });
    co_await engine.admission.acknowledged(first);
    co_await engine.admission.acknowledged(second);
    CHECK(second->state == State::running);
    once = first->id.to_string();
    again = second->id.to_string();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.recovery.lost() == 1);
    CHECK(engine.recovery.waiting() == 1);
    JobRef lost(*engine.table.find(once));
    co_await corund::job::ended(lost);
    CHECK(lost->state == State::lost);
    JobRef second(*engine.table.find(again));
    while (second->state != State::running) co_await second->changed.wait();
    CHECK(second->attempt == 2);
    REQUIRE(second->record().past.size() == 1);
    CHECK(second->record().past[0].state == State::lost);
  });
  // Its second attempt was its last.
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef second(*engine.table.find(again));
    co_await corund::job::ended(second);
    CHECK(second->state == State::lost);
    CHECK(engine.table.find(once)->state == State::lost);
  });
}

TEST_CASE("a job whose kind is not there is held, and runs when it is back") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    engine.admission.set_paused("", true);
    JobRef job = engine.submit_durable("quick");
    co_await engine.admission.acknowledged(job);
    id = job->id.to_string();
  });
  DurableEngine(directory).live([](DurableEngine&) {}, [&](DurableEngine& engine) -> Coro<> {
    Job* job = engine.table.find(id);
    REQUIRE(job);
    CHECK(job->state == State::held);
    CHECK(job->wait == Wait::kind);
    engine.admission.set_paused("", false);
    co_return;
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job(*engine.table.find(id));
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
  });
}

TEST_CASE("dependencies, delays and keys outlive the daemon") {
  StateDirectory directory;
  std::string first, second;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef one = engine.submit_durable("quick", [](JobSpec& spec) {
      spec.delay = 50ms;
      spec.make_extras().key = "k";
    });
    JobRef two = engine.submit_durable("quick", [&](JobSpec& spec) { spec.make_extras().after = {one->id}; });
    co_await engine.admission.acknowledged(two);
    CHECK(one->state == State::delayed);
    CHECK(two->state == State::held);
    first = one->id.to_string();
    second = two->id.to_string();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.admission.by_key(0, "k") == engine.table.find(first));
    JobRef two(*engine.table.find(second));
    co_await corund::job::ended(two);
    CHECK(two->state == State::succeeded);
    CHECK(two->started_us >= engine.table.find(first)->ended_us);
  });
}

TEST_CASE("a cancellation of a waiting job that was answered is not forgotten") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick", [](JobSpec& spec) { spec.delay = 1h; });
    co_await engine.admission.acknowledged(job);
    engine.admission.cancel(*job, "no");
    co_await corund::job::ended(job);
    id = job->id.to_string();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.table.find(id)->state == State::cancelled);
    CHECK(engine.admission.waiting() == 0);
    co_return;
  });
}

TEST_CASE("a record that was removed or is no longer kept is gone from the disk") {
  StateDirectory directory;
  std::vector<std::string> ids;
  DurableEngine(directory, {}, {.records = 2}).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    for (int i = 0; i < 4; ++i) {
      JobRef job = engine.submit_durable("quick");
      co_await corund::job::ended(job);
      ids.push_back(job->id.to_string());
    }
    engine.admission.remove(*engine.table.find(ids[2]));
    co_await engine.ledger.forgotten();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK_FALSE(engine.table.find(ids[0]));
    CHECK_FALSE(engine.table.find(ids[1]));
    CHECK_FALSE(engine.table.find(ids[2]));
    CHECK(engine.table.find(ids[3]));
    co_return;
  });
}

TEST_CASE("bodies past the bound on memory are on disk only, and still told") {
  StateDirectory directory;
  DurableEngine(directory, {}, {.bytes = 1}).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) {
      JobRef job = engine.submit_durable("quick", {}, "{\"i\":" + std::to_string(i) + "}");
      co_await corund::job::ended(job);
      ids.push_back(job->id.to_string());
    }
    Job* first = engine.table.find(ids[0]);
    REQUIRE(first);
    CHECK(first->is_shelved());
    CHECK(first->spec.args.empty());
    auto body = co_await engine.ledger.body_of(JobRef(*first));
    CHECK(body->args.view() == R"({"i":0})");
  });
}

TEST_CASE("new ids are larger than all that were there before") {
  StateDirectory directory;
  corund::job::Ulid before;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick");
    co_await corund::job::ended(job);
    before = job->id;
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick");
    CHECK(job->id > before);
    co_await corund::job::ended(job);
  });
}

TEST_CASE("records that have grown too old go by themselves, from the disk too") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory, {}, {.age = 40ms}).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick");
    co_await corund::job::ended(job);
    id = job->id.to_string();
    job.release();
    for (int i = 0; i < 1000 && engine.table.find(id); ++i) co_await corun::sleep(5ms);
    CHECK_FALSE(engine.table.find(id));
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK_FALSE(engine.table.find(id));
    co_return;
  });
}

TEST_CASE("a submission that the stop overtook did not run, and is not lost") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("quick");  // would begin with its commit
    engine.admission.close();
    co_await engine.admission.acknowledged(job);
    CHECK(job->wait == Wait::stop);
    id = job->id.to_string();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    CHECK(engine.recovery.lost() == 0);
    JobRef job(*engine.table.find(id));
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
    CHECK(job->attempt == 1);
    CHECK(job->record().past.empty());
  });
}

TEST_CASE("an attempt that failed is on disk as it failed, though its job was cancelled before the next") {
  StateDirectory directory;
  std::string id;
  auto add_failing = [](DurableEngine& engine) {
    engine.add("fail", [](JobContext&) -> Coro<Json> {
      throw corund::JobFailure("Bad", "it is");
      co_return Json();
    });
  };
  DurableEngine(directory).live(add_failing, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("fail", [](JobSpec& spec) { spec.make_extras().retry = RetryPolicy{5, 1h, 1.0}; });
    while (job->state != State::delayed) co_await job->changed.wait();
    engine.admission.cancel(*job, "enough");
    co_await corund::job::ended(job);
    id = job->id.to_string();
  });
  DurableEngine(directory).live(add_failing, [&](DurableEngine& engine) -> Coro<> {
    JobRef job(*engine.table.find(id));
    CHECK(job->state == State::cancelled);
    auto body = co_await engine.ledger.body_of(job);
    REQUIRE(body->record.past.size() == 1);
    CHECK(body->record.past[0].state == State::failed);
    CHECK(body->record.past[0].error_message == "it is");
  });
}

TEST_CASE("a delayed job that was cancelled does not start when its time comes before the disk knows its end", "[store]") {
  StateDirectory directory;
  bool has_run = false;
  auto add = [&](DurableEngine& engine) {
    engine.add("note", [&](JobContext&) -> Coro<Json> {
      has_run = true;
      co_return Json::object();
    });
  };
  DurableEngine(directory).live(add, [&](DurableEngine& engine) -> Coro<> {
    JobRef job = engine.submit_durable("note", [](JobSpec& spec) { spec.delay = 100ms; });
    while (job->state != State::delayed) co_await job->changed.wait();
    corund::store::Database other(directory.path() + "/jobs.db", false, {});
    other.exec("BEGIN IMMEDIATE");  // the store waits
    engine.admission.cancel(*job, "enough");
    CHECK(job->wait == Wait::disk);
    while (corund::run::now_us() <= job->eligible_us) co_await corun::sleep(5ms);
    co_await corun::sleep(5ms);  // the schedule's timer is not later than this one
    CHECK(job->wait == Wait::disk);
    other.exec("COMMIT");
    co_await corund::job::ended(job);
    CHECK(job->state == State::cancelled);
    CHECK(job->attempt == 0);
  });
  CHECK_FALSE(has_run);
}

TEST_CASE("a job that is cancelled while the disk refuses to know its beginning does not run, and its end is told") {
  StateDirectory directory;
  tests::FaultVfs disk;
  corund::config::Config config;
  config.groups["default"].limit = 1;
  bool has_run = false;
  corun::Event held;
  auto add = [&](DurableEngine& engine) {
    engine.add("hold", [&](JobContext&) -> Coro<Json> {
      co_await held.wait();
      co_return Json::object();
    });
    engine.add("note", [&](JobContext&) -> Coro<Json> {
      has_run = true;
      co_return Json::object();
    });
  };
  DurableEngine(directory, config, {}, disk.name()).live(add, [&](DurableEngine& engine) -> Coro<> {
    JobRef holder = engine.submit_durable("hold"), next = engine.submit_durable("note"), third = engine.submit_durable("note");
    co_await engine.admission.acknowledged(third);
    disk.fail(tests::DiskCall::write, 1, EIO, 1'000'000);
    held.set();
    while (!next->running) co_await next->changed.wait();
    while (engine.store.stats().failing.empty()) co_await corun::sleep(1ms);
    REQUIRE(next->running->starting);
    engine.admission.set_limit("default", 2);  // one more starts, and is cancelled before its first step
    REQUIRE(third->running);
    for (JobRef job : {third, next}) {
      engine.admission.cancel(*job, "enough");
      co_await corund::job::ended(job);
      CHECK(job->state == State::cancelled);
      CHECK(corund::run::cancel_result(*job) == corund::run::CancelResult::not_started);
    }
  });
  CHECK_FALSE(has_run);
}

TEST_CASE("what a job came after may be forgotten before it runs") {
  StateDirectory directory;
  std::string id;
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    JobRef first = engine.submit_durable("quick");
    co_await corund::job::ended(first);
    engine.admission.set_paused("", true);
    JobRef second = engine.submit_durable("quick", [&](JobSpec& spec) { spec.make_extras().after = {first->id}; });
    co_await engine.admission.acknowledged(second);
    id = second->id.to_string();
    Job& job = *first;
    first.release();
    engine.admission.remove(job);
    co_await engine.ledger.forgotten();
  });
  DurableEngine(directory).live(add_kinds, [&](DurableEngine& engine) -> Coro<> {
    engine.admission.set_paused("", false);
    JobRef job(*engine.table.find(id));
    co_await corund::job::ended(job);
    CHECK(job->state == State::succeeded);
  });
}

TEST_CASE("what comes after a job that was not to be does not run, though that is forgotten by the time it could") {
  StateDirectory directory;
  tests::FaultVfs disk;
  bool has_run = false;
  auto add = [&](DurableEngine& engine) {
    engine.add("boom", [](JobContext&) -> Coro<Json> { throw std::runtime_error("boom"); });
    engine.add("note", [&](JobContext&) -> Coro<Json> {
      has_run = true;
      co_return Json::object();
    });
  };
  DurableEngine(directory, {}, {}, disk.name()).live(add, [&](DurableEngine& engine) -> Coro<> {
    auto note_after = [&](const JobRef& first) {
      return engine.submit_durable("note", [&](JobSpec& spec) { spec.make_extras().after = {first->id}; });
    };
    auto ends_cancelled = [](JobRef job, std::string why) -> Coro<> {
      co_await corund::job::ended(job);
      CHECK(job->state == State::cancelled);
      CHECK(job->record().outcome.error_type == corund::job::dependency_failed);
      CHECK(job->record().outcome.reason.find(why) != std::string::npos);
    };
    JobRef failed = engine.submit_durable("boom");
    co_await corund::job::ended(failed);
    JobRef job = note_after(failed);
    engine.admission.remove(*failed);  // while the other one is on its way to the disk
    co_await ends_cancelled(job, "ended failed");

    disk.fail(tests::DiskCall::sync, 1, EIO);
    JobRef refused = engine.submit_durable("boom");
    co_await corun::sleep(0s);  // it is in a batch of its own now, and the disk refuses that
    job = note_after(refused);
    co_await ends_cancelled(job, "was not accepted");
    CHECK(refused->wait == Wait::refused);
  });
  CHECK_FALSE(has_run);
}
