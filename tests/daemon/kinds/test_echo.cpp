// SPDX-License-Identifier: MIT
#include "daemon/kinds/echo.hpp"

#include "../run/engine.hpp"

TEST_CASE("echo returns its args, byte for byte") {
  tests::Engine engine;
  corund::KindRegistry kinds(engine.registry);
  corund::kinds::add_echo(kinds);
  engine.run([&]() -> corun::Coro<> {
    const std::string args = R"({"b" : [1, 2.50, "\u00e4"], "a":{}})";
    corund::job::JobRef job = engine.submit("echo", {}, args);
    co_await corund::job::ended(job);
    CHECK(job->record().outcome.result.view() == args);
    CHECK(job->spec.args.view() == args);
  });
}
