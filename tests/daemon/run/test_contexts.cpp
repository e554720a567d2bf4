// SPDX-License-Identifier: MIT
#include "daemon/run/contexts.hpp"

#include "engine.hpp"

using corun::Coro;
using corund::Json;
using corund::JobContext;
using corund::job::ContextChoice;
using corund::job::JobRef;
using tests::Engine;
using namespace std::chrono_literals;

namespace {
corun::ContextVar<int> counter("test.counter", 0);

Coro<Json> count(JobContext&) {
  counter.set(counter.get() + 1);
  co_return Json{{"count", counter.get()}};
}
}  // namespace

TEST_CASE("each job gets the context that it asks for") {
  corund::config::Config config;
  config.limits.contexts_per_uid = 2;
  Engine engine(config);
  engine.add("count", count);
  engine.add("child", [](JobContext& job) -> Coro<Json> { co_return co_await job.run("count", Json::object()); });
  engine.run([&]() -> Coro<> {
    auto result = [&](std::string kind, ContextChoice choice, std::string name = "", uid_t owner = 1) -> Coro<int> {
      JobRef job = engine.submit(kind, [&](auto& spec) {
        spec.context = choice;
        spec.make_extras().context_name = name;
        spec.owner = owner;
      });
      co_await corund::job::ended(job);
      co_return Json::parse(job->record().outcome.result.view())["count"].get<int>();
    };
    int value = co_await result("count", ContextChoice::shared);
    CHECK(value == 1);
    value = co_await result("count", ContextChoice::shared);
    CHECK(value == 2);
    value = co_await result("count", ContextChoice::isolated);
    CHECK(value == 3);
    value = co_await result("count", ContextChoice::shared);
    CHECK(value == 3);
    value = co_await result("count", ContextChoice::named, "mine");
    CHECK(value == 4);
    value = co_await result("count", ContextChoice::named, "mine");
    CHECK(value == 5);
    value = co_await result("count", ContextChoice::named, "mine", 2);  // a name is its owner's
    CHECK(value == 4);
    value = co_await result("count", ContextChoice::shared);
    CHECK(value == 4);
    value = co_await result("child", ContextChoice::shared);
    CHECK(value == 5);
    value = co_await result("child", ContextChoice::isolated);
    CHECK(value == 6);
    value = co_await result("count", ContextChoice::shared);
    CHECK(value == 6);

    corund::job::JobSpec spec;
    spec.context = ContextChoice::named;
    spec.owner = 1;
    spec.make_extras().context_name = "mine";
    CHECK(engine.contexts.has_room_for(spec));
    spec.make_extras().context_name = "second";
    CHECK(engine.contexts.has_room_for(spec));
    (void)engine.contexts.enter(spec);
    spec.make_extras().context_name = "third";
    CHECK_FALSE(engine.contexts.has_room_for(spec));
    spec.owner = 3;
    CHECK(engine.contexts.has_room_for(spec));
  });
}

TEST_CASE("named contexts that waiting jobs will make count as if they were there") {
  corund::run::Contexts contexts(2);
  Engine engine;
  engine.run([&]() -> Coro<> {
    contexts.set_shared(corun::current_task().context());
    auto of = [](std::string name) {
      corund::job::JobSpec spec;
      spec.context = ContextChoice::named;
      spec.owner = 1;
      spec.make_extras().context_name = std::move(name);
      return spec;
    };
    const auto first = of("first"), second = of("second"), third = of("third");
    contexts.expect(first);
    contexts.expect(first);
    contexts.expect(second);
    CHECK(contexts.has_room_for(first));
    CHECK_FALSE(contexts.has_room_for(third));
    contexts.expect_no_more(first);
    CHECK_FALSE(contexts.has_room_for(third));  // another one waits for it
    contexts.expect_no_more(first);
    CHECK(contexts.has_room_for(third));
    contexts.expect_no_more(second);  // it starts
    (void)contexts.enter(second);
    CHECK(contexts.has_room_for(third, {"third"}));
    CHECK(contexts.knows(second));
    CHECK_FALSE(contexts.knows(third));
    CHECK_FALSE(contexts.has_room_for(third, {"fourth", "third"}));
    contexts.expect(second);
    CHECK(contexts.drop(1, "second"));  // its name is still taken, by the one that waits
    (void)contexts.enter(first);
    CHECK_FALSE(contexts.has_room_for(third));
    contexts.expect_no_more(second);
    CHECK(contexts.has_room_for(third));
    co_return;
  });
}

TEST_CASE("a named context that nobody has used for a while is dropped, one in use is not") {
  Engine engine;
  corund::run::Contexts contexts(4, 30ms);
  engine.run_in_real_time([&]() -> Coro<> {
    contexts.set_shared(corun::current_task().context());
    corund::job::JobSpec used, unused;
    for (corund::job::JobSpec* spec : {&used, &unused}) spec->context = corund::job::ContextChoice::named;
    used.make_extras().context_name = "used";
    unused.make_extras().context_name = "unused";
    const corun::Context in_use = contexts.enter(used);
    contexts.leave(unused, contexts.enter(unused));
    CHECK(contexts.named().size() == 2);
    for (int i = 0; i < 500 && contexts.named().size() > 1; ++i) co_await corun::sleep(5ms);
    REQUIRE(contexts.named().size() == 1);
    CHECK(contexts.named().begin()->first.second == "used");
    CHECK_FALSE(contexts.drop(1, "used"));
    CHECK(contexts.drop(0, "used"));
    const corun::Context next = contexts.enter(used);
    CHECK_FALSE(next == in_use);
    contexts.leave(used, in_use);  // the job of the dropped one ends after that: the one that has its name by now is in use all the same
    CHECK(contexts.named().begin()->second.jobs_running == 1);
    contexts.leave(used, next);
    for (int i = 0; i < 500 && !contexts.named().empty(); ++i) co_await corun::sleep(5ms);
    CHECK(contexts.named().empty());
  });
}
