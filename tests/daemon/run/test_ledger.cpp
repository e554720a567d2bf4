// SPDX-License-Identifier: MIT
#include "daemon/run/ledger.hpp"

#include "../store/fault_vfs.hpp"
#include "durable_engine.hpp"

using tests::DurableEngine;
using namespace std::chrono_literals;

TEST_CASE("what is set of groups is known to be on disk, or that the disk refuses at present") {
  tests::StateDirectory directory;
  tests::FaultVfs disk;
  DurableEngine(directory, {}, {}, disk.name()).live([](DurableEngine&) {}, [&](DurableEngine& engine) -> corun::Coro<> {
    const bool before_any = co_await engine.ledger.groups_kept();
    CHECK(before_any);
    engine.admission.set_limit("one", 3);
    const bool kept = co_await engine.ledger.groups_kept();
    CHECK(kept);
    disk.fail(tests::DiskCall::write, 1, EIO, 1'000'000);
    engine.admission.set_limit("one", 4);
    const bool refused = !co_await engine.ledger.groups_kept();
    CHECK(refused);
    CHECK(engine.groups.find("one")->limit() == 4);
  });
  DurableEngine(directory).live([](DurableEngine&) {}, [&](DurableEngine& engine) -> corun::Coro<> {
    CHECK(engine.groups.find("one")->limit() == 3);
    co_return;
  });
}

TEST_CASE("without a store there is nothing to wait for") {
  corund::run::Ledger ledger(nullptr);
  ledger.set_group("one", 3, false);
  auto asks = [](corund::run::Ledger& of) -> corun::Coro<bool> { co_return co_await of.groups_kept(); };
  CHECK(corun::run(asks(ledger)));
}
