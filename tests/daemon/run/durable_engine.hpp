// SPDX-License-Identifier: MIT
// An engine with a real store in a real directory, and the life of a daemon in short: recover, resume, do something, die.
#pragma once

#include <cstdlib>
#include <filesystem>

#include "daemon/run/recovery.hpp"
#include "engine.hpp"

namespace tests {

class StateDirectory {
 public:
  StateDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "corund-state-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path_ = name;
  }
  ~StateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct DurableEngine {
  corund::config::Config config;
  corund::sd::Log log{nullptr};
  corund::job::Registry registry;
  corund::job::Table table;
  corund::run::Groups groups;
  corund::run::Contexts contexts;
  corund::run::Journal journal{log, 100};
  corund::store::Store store;
  corund::run::Ledger ledger{&store};
  corund::run::Supervisor supervisor;
  corund::run::Admission admission;
  corund::run::Recovery recovery;

  explicit DurableEngine(const StateDirectory& directory, corund::config::Config settings = {}, corund::job::Retention retention = {},
                         std::string vfs = "")
      : config(std::move(settings)),
        table(retention),
        groups(config.groups),
        contexts(config.limits.contexts_per_uid),
        store({.directory = directory.path(), .vfs = std::move(vfs)}),
        supervisor(table, registry, contexts, journal, ledger, {config.jobs.grace, config.limits.output_bytes}),
        admission(table, groups, contexts, supervisor, journal, ledger, config.limits),
        recovery(table, registry, admission, ledger, journal) {}

  template <class F>
  void add(std::string_view name, F body) {
    corund::KindRegistry(registry).add(name, std::move(body), {});
  }

  corund::job::JobRef submit_durable(std::string_view kind, const std::function<void(corund::job::JobSpec&)>& fill = {},
                                     std::string args = "{}") {
    auto opened = admission.open(corund::run::now_us());
    REQUIRE(opened.has_value());
    corund::job::Job& job = **opened;
    job.spec.kind = registry.find(kind);
    REQUIRE(job.spec.kind);
    job.spec.args.assign(args);
    job.spec.ack = corund::job::Ack::disk;
    if (fill) fill(job.spec);
    auto admitted = admission.admit(job);
    REQUIRE(admitted.has_value());
    return *admitted;
  }

  // kinds(engine) adds the kinds there are; body(engine) is what happens before the daemon dies.
  void live(const std::function<void(DurableEngine&)>& kinds, const std::function<corun::Coro<>(DurableEngine&)>& body) {
    kinds(*this);
    recovery.read(store);
    corun::Runner runner;
    store.start(runner.loop());
    runner.run(main(body));
    (void)store.close();
    runner.close();
  }

 private:
  corun::Coro<> main(std::function<corun::Coro<>(DurableEngine&)> body) {
    contexts.set_shared(corun::current_task().context());
    auto settling = corun::create_task(admission.enter_settled());
    recovery.resume();
    co_await body(*this);
    settling.cancel();
  }
};

}  // namespace tests
