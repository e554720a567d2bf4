// SPDX-License-Identifier: MIT
// Every write, sync, open and truncation fails once, and some go on failing: what was told stays true.
#include <cerrno>

#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

const auto always = [] { return true; };

// One run with the nth call of a sort failing. False: there were not as many calls.
bool run_with_fault(DiskCall call, int nth, int error, int times) {
  const StoreDirectory directory;
  FaultVfs vfs;
  vfs.fail(call, nth, error, times);
  Told told;
  const auto main = [&](Store& store) { return load(store, told, 12, true, always); };
  const RunEnd end = run_store(directory.options(vfs.name()), true, main);
  INFO("call " << nth << ", errno " << error << ", " << times << " times; opening: " << end.opening
               << "; closing: " << end.closing);
  if (!end.opening.empty()) {
    // It did not open; with the trouble gone it does, and is complete.
    const RunEnd again = run_store(directory.options(), true, main);
    CHECK(again.opening == "");
    CHECK(told.refused.empty());
  }
  CHECK(told.ended.size() > 3);
  for (const Seq seq : told.ended) told.ended_on_disk.insert(seq);  // written_at_last() said so
  CHECK(complaint(told, kept_in(directory), false) == "");
  return vfs.failed();
}

void sweep(DiskCall call, int error, int times) {
  int nth = 1;
  while (run_with_fault(call, nth, error, times)) ++nth;
  CHECK(nth > 2);
}

}  // namespace

TEST_CASE("a disk that is full at any one write costs no promise", "[store]") {
  sweep(DiskCall::write, ENOSPC, 1);
}
TEST_CASE("a disk that stays full for a while costs no promise", "[store]") {
  sweep(DiskCall::write, ENOSPC, 7);
}
TEST_CASE("any one write may fail", "[store]") { sweep(DiskCall::write, EIO, 1); }
TEST_CASE("any one sync may fail", "[store]") { sweep(DiskCall::sync, EIO, 1); }
TEST_CASE("any one sync may find the disk full", "[store]") { sweep(DiskCall::sync, ENOSPC, 1); }
TEST_CASE("syncs may go on failing for a while", "[store]") { sweep(DiskCall::sync, EIO, 4); }
TEST_CASE("any one opening of a file may find no descriptor", "[store]") { sweep(DiskCall::open, EMFILE, 1); }
TEST_CASE("any one truncation or removal may fail", "[store]") { sweep(DiskCall::truncate, EIO, 1); }

TEST_CASE("a full disk refuses submissions by name, keeps facts, and is told when it is over", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  Told told;
  const auto main = [&](Store& store) -> corun::Coro<> {
    const Seq first = store.next_seq();
    const Ticket added = store.add(job_row(first));
    const Settled settled = co_await store.settled();
    CHECK(settled.upto == added);
    CHECK_FALSE(settled.refused);
    vfs.fail(DiskCall::write, 1, ENOSPC, 1'000'000);
    const Seq second = store.next_seq();
    const Ticket refused = store.add(job_row(second));
    const Ticket fact = store.end(outcome_row(first));
    const Settled verdict = co_await store.settled();
    CHECK(verdict.upto == fact);
    CHECK(refused < fact);
    REQUIRE(verdict.refused);
    CHECK(verdict.refused->trouble() == Trouble::full);
    const bool on_disk = co_await store.written(fact);
    CHECK_FALSE(on_disk);
    CHECK(store.stats().failing.find("full") != std::string::npos);
    // A fact about a job that was refused is nothing that could be kept.
    const Ticket orphan = store.end(outcome_row(second));
    vfs.fail(DiskCall::write, 1, ENOSPC, 0);
    co_await store.written_at_last(fact);
    co_await store.written_at_last(orphan);
    CHECK(store.stats().failing == "");
    const bool told_now = co_await store.written(fact);
    CHECK(told_now);
  };
  const RunEnd end = run_store(directory.options(vfs.name()), true, main);
  CHECK(end.closing == "");
  const Kept kept = kept_in(directory);
  CHECK(kept.jobs == std::vector<Seq>{1});
  CHECK(kept.outcomes == std::map<Seq, int>{{1, 1}});
}

TEST_CASE("an idle store notices by itself that the disk takes writes again", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  const auto main = [&](Store& store) -> corun::Coro<> {
    vfs.fail(DiskCall::sync, 1, EIO, 3);
    store.add(job_row(store.next_seq()));
    Settled settled = co_await store.settled();
    if (!settled.refused) {
      // The thread's own first sync took the fault's beginning.
      store.add(job_row(store.next_seq()));
      settled = co_await store.settled();
    }
    REQUIRE(settled.refused);
    CHECK(settled.refused->trouble() == Trouble::io);
    while (!store.stats().failing.empty()) co_await corun::sleep(std::chrono::milliseconds(200));
  };
  CHECK(run_store(directory.options(vfs.name()), true, main).closing == "");
}

// A failed sync leaves the frames of its transaction in the file. Once the store works again they must be
// gone for good.
TEST_CASE("a submission that was refused does not come back with a crash after the store has recovered",
          "[store]") {
  for (int nth = 1;; ++nth) {
    const StoreDirectory directory;
    FaultVfs vfs;
    Told told;
    const auto main = [&](Store& store) -> corun::Coro<> {
      vfs.fail(DiskCall::sync, nth, EIO);
      vfs.failed_sync_leaves(Unsynced::all);
      co_await load(store, told, 4, false, always);
      // Submissions alone: no fact is tried again that would write over what the failed sync has left.
      for (int i = 0; i < 3; ++i) {
        const Seq seq = store.next_seq();
        told.asked.push_back(seq);
        const Ticket ticket = store.add(job_row(seq));
        Settled settled;
        while (settled.upto < ticket) settled = co_await store.settled();
        (settled.refused ? told.refused : told.accepted).insert(seq);
        if (settled.refused) break;
      }
      while (!store.stats().failing.empty()) co_await corun::sleep(std::chrono::milliseconds(200));
      vfs.cut_power();
    };
    run_store(directory.options(vfs.name()), false, main);
    vfs.restore(Unsynced::all, 1);
    INFO("sync " << nth);
    CHECK(complaint(told, kept_in(directory), false) == "");
    if (!vfs.failed()) break;
  }
}
