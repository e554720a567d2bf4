// SPDX-License-Identifier: MIT
// All that runs jobs, without sockets, on a virtual clock: what the tests of daemon/run work on.
#pragma once

#include <corun/testing/virtual_time.hpp>
#include <corund/plugin.hpp>
#include <functional>
#include <string>

#include "daemon/run/admission.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/run/drain.hpp"
#include "support/catch.hpp"

namespace tests {

using namespace std::chrono_literals;

struct Engine {
  corund::config::Config config;
  corund::sd::Log log{nullptr};
  corund::job::Registry registry;
  corund::job::Table table;
  corund::run::Groups groups;
  corund::run::Contexts contexts;
  corund::run::Journal journal{log, 100};
  corund::run::Ledger ledger{nullptr};
  corund::run::Supervisor supervisor;
  corund::run::Admission admission;
  corund::run::Drain drain{admission, supervisor};

  explicit Engine(corund::config::Config settings = {}, corund::job::Retention retention = {})
      : config(std::move(settings)),
        table(retention),
        groups(config.groups),
        contexts(config.limits.contexts_per_uid),
        supervisor(table, registry, contexts, journal, ledger, {config.jobs.grace, config.limits.output_bytes}),
        admission(table, groups, contexts, supervisor, journal, ledger, config.limits) {}

  template <class F>
  void add(std::string_view name, F body, corund::KindOptions options = {}) {
    corund::KindRegistry(registry).add(name, std::move(body), options);
  }

  // A job of this kind, submitted; `fill` may say more in its spec.
  corund::job::JobRef submit(std::string_view kind, const std::function<void(corund::job::JobSpec&)>& fill = {},
                             std::string args = "{}") {
    auto opened = admission.open(corund::run::now_us());
    REQUIRE(opened.has_value());
    corund::job::Job& job = **opened;
    job.spec.kind = registry.find(kind);
    REQUIRE(job.spec.kind);
    job.spec.args.assign(args);
    if (fill) fill(job.spec);
    auto admitted = admission.admit(job);
    REQUIRE(admitted.has_value());
    return *admitted;
  }

  // Runs the body as the main task of an ordinary loop.
  void run_in_real_time(std::function<corun::Coro<>()> body) {
    corun::Runner runner;
    runner.run(main(std::move(body)));
    runner.close();
  }

  // Runs the body as the main task of a loop whose clock jumps.
  void run(std::function<corun::Coro<>()> body) {
    corun::Runner runner({.loop_factory = corun::testing::virtual_time()});
    runner.run(main(std::move(body)));
    runner.close();
  }

 private:
  corun::Coro<> main(std::function<corun::Coro<>()> body) {
    contexts.set_shared(corun::current_task().context());
    co_await body();
  }
};

}  // namespace tests
