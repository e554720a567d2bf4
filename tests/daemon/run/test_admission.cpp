// SPDX-License-Identifier: MIT
#include "daemon/run/admission.hpp"

#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::JobRef;
using corund::job::State;
using corund::run::Refusal;
using tests::Engine;
using namespace std::chrono_literals;

namespace {

corund::config::Config with_group(std::size_t limit) {
  corund::config::Config config;
  config.groups["one"].limit = limit;
  return config;
}

auto in_group(std::string name, int priority = 0) {
  return [name, priority](corund::job::JobSpec& spec) {
    spec.group = name;
    spec.priority = priority;
  };
}

Coro<Json> nap(JobContext&) {
  co_await corun::sleep(1s);
  co_return Json::object();
}

}  // namespace

TEST_CASE("no more of a group run at once than its limit says") {
  Engine engine(with_group(3));
  int running = 0, most = 0;
  engine.add("count", [&](JobContext&) -> Coro<Json> {
    most = std::max(most, ++running);
    co_await corun::sleep(1s);
    --running;
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    const auto begin = corun::get_running_loop().time();
    std::vector<JobRef> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(engine.submit("count", in_group("one")));
    CHECK(engine.admission.waiting() == 7);
    for (auto& job : jobs) co_await corund::job::ended(job);
    CHECK(most == 3);
    CHECK(corun::get_running_loop().time() - begin == 4s);
    CHECK(engine.admission.waiting() == 0);
  });
}

TEST_CASE("the higher priority goes first, then who came first") {
  Engine engine(with_group(1));
  std::vector<std::string> order;
  engine.add("note", [&](JobContext& job) -> Coro<Json> {
    order.push_back(job.labels().front().second);
    co_await corun::sleep(1s);
    co_return Json::object();
  });
  engine.run([&]() -> Coro<> {
    std::vector<JobRef> jobs;
    auto submit = [&](std::string name, int priority) {
      jobs.push_back(engine.submit("note", [&](auto& spec) {
        in_group("one", priority)(spec);
        spec.make_extras().labels = {{"name", name}};
      }));
    };
    submit("first", 0);
    submit("low", -1);
    submit("a", 0);
    submit("b", 0);
    submit("high", 100);
    for (auto& job : jobs) co_await corund::job::ended(job);
    CHECK(order == std::vector<std::string>{"first", "high", "a", "b", "low"});
  });
}

TEST_CASE("an attached job that needs no waiting is over when it is admitted") {
  Engine engine;
  engine.add("echo", [](JobContext& job, std::string_view args) -> Coro<corund::JsonText> {
    corund::JsonText text = job.spare_text();
    text.assign(args);
    co_return text;
  });
  engine.run([&]() -> Coro<> {
    JobRef job = engine.submit("echo", [](auto& spec) { spec.attached = true; }, R"({"x":1})");
    CHECK(job->state == State::succeeded);
    CHECK(job->record().outcome.result.view() == R"({"x":1})");
    co_return;
  });
}

TEST_CASE("a long queue of jobs that end at once is worked off without recursion") {
  Engine engine(with_group(1));
  engine.add("nap", nap);
  engine.add("echo", [](JobContext&) -> Coro<Json> { co_return Json::object(); });
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("nap", in_group("one"));
    JobRef last;
    for (int i = 0; i < 50'000; ++i)
      last = engine.submit("echo", [](auto& spec) {
        spec.group = "one";
        spec.attached = true;
      });
    co_await corund::job::ended(last);
    CHECK(last->state == State::succeeded);
  });
}

TEST_CASE("a job that waits is cancelled where it stands") {
  Engine engine(with_group(1));
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    JobRef first = engine.submit("nap", in_group("one")), second = engine.submit("nap", in_group("one"));
    CHECK(engine.admission.cancel(*second, "not needed"));
    CHECK(second->state == State::cancelled);
    CHECK(second->started_us == 0);
    CHECK_FALSE(engine.admission.cancel(*second, "again"));
    co_await corund::job::ended(first);
    CHECK(first->state == State::succeeded);
  });
}

TEST_CASE("a job that is refused leaves no group behind") {
  corund::config::Config config = with_group(1);
  config.limits.jobs_queued_per_uid = 1;
  config.groups["default"].limit = 1;
  Engine engine(config);
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    auto submit = [&](const std::string& group, std::chrono::nanoseconds delay) {
      auto opened = engine.admission.open(corund::run::now_us());
      REQUIRE(opened.has_value());
      (*opened)->spec.kind = engine.registry.find("nap");
      (*opened)->spec.group = group;
      (*opened)->spec.delay = delay;
      return engine.admission.admit(**opened).has_value();
    };
    const std::size_t groups = engine.groups.all().size();
    CHECK(submit("one", 1h));
    CHECK_FALSE(submit("new", 1h));
    CHECK(engine.groups.all().size() == groups);
    CHECK(submit("new", 0s));  // would start at once, so it does not count as one that waits
    CHECK(engine.groups.all().size() == groups + 1);
    engine.admission.cancel_waiting("the test is over");
    co_await engine.drain.finish_all();
  });
}

TEST_CASE("what is too much is refused by the name of its limit") {
  corund::config::Config config = with_group(1);
  config.limits.jobs_queued = 2;
  config.limits.jobs_queued_per_uid = 1;
  Engine engine(config);
  engine.add("nap", nap);
  engine.run([&]() -> Coro<> {
    auto attempt = [&](uid_t owner) -> std::optional<Refusal> {
      auto opened = engine.admission.open(0);
      if (!opened) return opened.error();
      (*opened)->spec.kind = engine.registry.find("nap");
      (*opened)->spec.group = "one";
      (*opened)->spec.owner = owner;
      auto admitted = engine.admission.admit(**opened);
      if (!admitted) return admitted.error();
      return std::nullopt;
    };
    CHECK_FALSE(attempt(1));  // runs
    CHECK_FALSE(attempt(1));  // waits
    REQUIRE(attempt(1));
    CHECK(attempt(1)->limit == "limits.jobs_queued_per_uid");
    CHECK_FALSE(attempt(2));
    REQUIRE(attempt(3));
    CHECK(attempt(3)->why == Refusal::Why::queue_full);
    CHECK(engine.table.size() == 3);  // what was refused is not there
    co_await engine.drain.finish_all();
    REQUIRE(attempt(4));
    CHECK(attempt(4)->why == Refusal::Why::draining);
  });
}
