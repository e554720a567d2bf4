// SPDX-License-Identifier: MIT
#include "daemon/run/children.hpp"

#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::JobRef;
using corund::job::State;
using corund::job::Wait;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

corund::config::Config limits(std::map<std::string, std::size_t> groups) {
  corund::config::Config config;
  for (const auto& [name, limit] : groups) config.groups[name].limit = limit;
  return config;
}

Coro<Json> sleepy(JobContext&) {
  co_await corun::sleep(1h);
  co_return Json::object();
}

// Hears of nothing for a day.
Coro<Json> deaf(JobContext&) {
  const auto until = corun::get_running_loop().time() + 24h;
  while (corun::get_running_loop().time() < until) try {
      co_await corun::sleep(until - corun::get_running_loop().time());
    } catch (const corun::CancelledError&) {
    }
  co_return Json::object();
}

// How many bodies of a kind run at once, at most.
struct Count {
  int now = 0, most = 0;
  Coro<Json> body(JobContext&) {
    most = std::max(most, ++now);
    co_await corun::sleep(1s);
    --now;
    co_return Json::object();
  }
};

corund::job::Job& child_of(Engine& engine, const JobRef& parent) {
  corund::job::Table::Cursor cursor(engine.table, corund::job::Table::Cursor::Direction::newest_first);
  while (corund::job::Job* job = cursor.next())
    if (job->parent == parent->id) return *job;
  throw std::logic_error("it has no child");
}

}  // namespace

TEST_CASE("children count in the group of their own kind, and wait there ahead of other jobs") {
  Engine engine(limits({{"work", 2}}));
  Count count;
  engine.add("work", [&](JobContext& job) { return count.body(job); }, {.group = "work"});
  engine.add("parent", [](JobContext& job) -> Coro<Json> {
    auto five = corun::gather(job.run("work", Json::object()), job.run("work", Json::object()), job.run("work", Json::object()),
                              job.run("work", Json::object()), job.run("work", Json::object()));
    co_await std::move(five);
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    JobRef parent = engine.submit("parent");
    co_await corun::sleep(100ms);
    JobRef other = engine.submit("work");
    const corund::run::Group& group = *engine.groups.find("work");
    CHECK(group.running() == 2);
    CHECK(group.queued() == 4);
    CHECK(engine.admission.waiting() == 4);
    CHECK(engine.groups.find("default")->running() == 1);
    co_await corun::sleep(1s);
    CHECK(group.queued() == 2);
    CHECK(other->state == State::queued);
    co_await corun::sleep(1s);
    CHECK(other->state == State::running);  // beside the fifth
    co_await corund::job::ended(parent);
    CHECK(parent->state == State::succeeded);
    CHECK(corun::get_running_loop().time() - begin == 3s);
    co_await corund::job::ended(other);
    CHECK(count.most == 2);
    CHECK(group.running() == 0);
    CHECK(group.queued() == 0);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("a child in the group of a job above it takes over that one's place, one at a time") {
  Engine engine(limits({{"default", 1}, {"other", 1}}));
  Count count;
  engine.add("work", [&](JobContext& job) { return count.body(job); });
  engine.add("between", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("work", Json::object()); }, {.group = "other"});
  engine.add("parent", [](JobContext& job) -> Coro<Json> {
    auto three = corun::gather(job.run("work", Json::object()), job.run("between", Json::object()), job.run("work", Json::object()));
    co_await std::move(three);
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    JobRef parent = engine.submit("parent"), next = engine.submit("work");
    co_await corun::sleep(100ms);
    CHECK(engine.groups.find("default")->running() == 1);
    CHECK(engine.groups.find("other")->running() == 1);
    co_await corund::job::ended(parent);
    CHECK(parent->state == State::succeeded);
    CHECK(corun::get_running_loop().time() - begin == 3s);
    CHECK(count.most == 1);
    co_await corund::job::ended(next);
    CHECK(engine.groups.find("default")->running() == 0);
    CHECK(engine.groups.find("other")->running() == 0);
  });
}

TEST_CASE("jobs whose children are of each other's groups do not wait for ever") {
  Engine engine(limits({{"a", 1}, {"b", 1}}));
  Count a, b;
  engine.add("a", [&](JobContext& job) { return a.body(job); }, {.group = "a"});
  engine.add("b", [&](JobContext& job) { return b.body(job); }, {.group = "b"});
  const auto parent = [](const char* kind) {
    return [kind](JobContext& job) -> Coro<Json> {
      co_await corun::sleep(1s);
      co_return co_await job.run(kind, Json::object());
    };
  };
  engine.add("a.parent", parent("b"), {.group = "a"});
  engine.add("b.parent", parent("a"), {.group = "b"});
  engine.run([&]() -> Coro<> {
    JobRef one = engine.submit("a.parent"), two = engine.submit("b.parent"), third = engine.submit("a");
    co_await corun::sleep(1500ms);
    CHECK(third->state == State::queued);  // a stalled place is no room for others
    co_await corund::job::ended(one);
    co_await corund::job::ended(two);
    CHECK(one->state == State::succeeded);
    CHECK(two->state == State::succeeded);
    co_await corund::job::ended(third);
    CHECK(a.most == 1);
    CHECK(b.most == 1);
    for (const char* name : {"a", "b"}) {
      CHECK(engine.groups.find(name)->running() == 0);
      CHECK(engine.groups.find(name)->queued() == 0);
    }
    // Nothing of it is left: the limit holds as before.
    JobRef four = engine.submit("a"), five = engine.submit("a");
    CHECK(five->state == State::queued);
    co_await corund::job::ended(five);
    CHECK(four->is_over());
  });
}

TEST_CASE("a child that waits ends with its parent's time") {
  Engine engine(limits({{"work", 1}}));
  engine.add("sleepy", sleepy, {.group = "work"});
  engine.add("parent", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("sleepy", Json::object()); });
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("sleepy");
    JobRef parent = engine.submit("parent", [](auto& spec) { spec.timeout = 2s; });
    co_await corun::sleep(1s);
    JobRef child(child_of(engine, parent));
    CHECK(child->state == State::queued);
    CHECK(child->wait == Wait::room);
    co_await corund::job::ended(parent);
    CHECK(parent->state == State::timed_out);
    CHECK(child->state == State::cancelled);
    CHECK(engine.groups.find("work")->queued() == 0);
    CHECK(engine.admission.waiting() == 0);
    engine.admission.cancel(*first, "");
    co_await corund::job::ended(first);
    CHECK(engine.groups.find("work")->running() == 0);
  });
}

TEST_CASE("a child that waits can be cancelled by itself, and one that has just got its place with its parent") {
  Engine engine(limits({{"work", 1}}));
  engine.add("sleepy", sleepy, {.group = "work"});
  engine.add("parent", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("sleepy", Json::object()); });
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("sleepy"), parent = engine.submit("parent");
    co_await corun::sleep(1s);
    engine.admission.cancel(child_of(engine, parent), "not that");
    co_await corund::job::ended(parent);
    CHECK(parent->state == State::cancelled);
    CHECK(parent->record().outcome.reason == "not that");

    JobRef second = engine.submit("parent");
    co_await corun::sleep(1s);
    JobRef child(child_of(engine, second));
    engine.admission.cancel(*first, "");
    while (child->wait == Wait::room) co_await corun::sleep(0s);
    CHECK(engine.groups.find("work")->running() == 1);  // it is the child's, which has not started
    CHECK(child->state == State::queued);
    engine.admission.cancel(*second, "both");
    co_await corund::job::ended(second);
    CHECK(child->is_over());
    CHECK(engine.groups.find("work")->running() == 0);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("force reaches the child as well") {
  Engine engine;
  engine.add("stubborn", [](JobContext& job) -> Coro<Json> {
    try {
      co_await corun::sleep(1h);
    } catch (const corun::CancelledError&) {
      if (job.is_escalated()) throw;
    }
    co_await corun::sleep(1h);
    co_return Json::object();
  });
  engine.add("parent", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("stubborn", Json::object()); });
  engine.run([&]() -> Coro<> {
    JobRef parent = engine.submit("parent", [](auto& spec) { spec.grace = 1min; });
    co_await corun::sleep(1s);
    JobRef child(child_of(engine, parent));
    const auto begin = corun::get_running_loop().time();
    engine.admission.cancel(*parent, "", true);
    co_await corund::job::ended(parent);
    CHECK(corun::get_running_loop().time() == begin);
    CHECK(parent->state == State::cancelled);
    CHECK(child->state == State::cancelled);
    CHECK(!child->cancellation->escalated.empty());
  });
}

TEST_CASE("a child that nobody waits for any more gives its parent's place back") {
  Engine engine(limits({{"default", 1}}));
  engine.add("deaf", deaf);
  engine.add("quick", [](JobContext&) -> Coro<Json> { co_return Json::object(); });
  bool was_cancelled = false;
  engine.add("parent", [&](JobContext& job) -> Coro<Json> {
    try {
      co_await job.run("deaf", Json::object());
    } catch (const corun::CancelledError&) {
      was_cancelled = true;
    }
    co_return co_await job.run("quick", Json::object());
  });
  engine.run([&]() -> Coro<> {
    JobRef parent = engine.submit("parent", [](auto& spec) { spec.grace = 1min; });
    co_await corun::sleep(1s);
    JobRef child(child_of(engine, parent));
    engine.admission.cancel(*child, "", true);
    co_await corund::job::ended(parent);
    CHECK(was_cancelled);
    CHECK(parent->state == State::succeeded);
    JobRef next = engine.submit("quick");
    co_await corund::job::ended(next);
    co_await corund::job::ended(child);
    CHECK(engine.groups.find("default")->running() == 0);
  });
}
