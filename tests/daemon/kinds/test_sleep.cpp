// SPDX-License-Identifier: MIT
#include "daemon/kinds/sleep.hpp"

#include "../run/engine.hpp"

using namespace std::chrono_literals;

TEST_CASE("sleep takes as long as it is told, and only that") {
  tests::Engine engine;
  corund::KindRegistry kinds(engine.registry);
  corund::kinds::add_sleep(kinds);
  engine.run([&]() -> corun::Coro<> {
    const auto begin = corun::get_running_loop().time();
    corund::job::JobRef job = engine.submit("sleep", {}, R"({"seconds":2.5})");
    co_await corund::job::ended(job);
    CHECK(corun::get_running_loop().time() - begin == 2500ms);
    CHECK(job->record().outcome.result.view() == R"({"seconds":2.5})");
  });
  const auto& check = engine.registry.find("sleep")->check;
  CHECK(check("{}") == "args.seconds");
  CHECK(check(R"({"seconds":-1})") == "args.seconds");
  CHECK(check(R"({"seconds":"1"})") == "args.seconds");
  CHECK(check(R"({"seconds":1,"minutes":1})") == "args.minutes");
}
