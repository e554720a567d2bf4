// SPDX-License-Identifier: MIT
#include "daemon/store/store.hpp"

#include <sqlite3.h>

#include <corun/testing/virtual_time.hpp>
#include <filesystem>

#include "daemon/store/database.hpp"
#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

// Runs `main` on a store in the directory and closes it without an error. Nothing is really synced.
template <class F>
void with_store(const StoreDirectory& directory, F main) {
  FaultVfs vfs;
  const RunEnd end = run_store(directory.options(vfs.name()), true, main);
  CHECK(end.opening == "");
  CHECK(end.closing == "");
}

// So many jobs that are over, each with an attempt.
Ticket add_ended(Store& store, int count) {
  Ticket ticket = 0;
  while (count-- > 0) {
    const Seq seq = store.next_seq();
    store.add(job_row(seq));
    store.attempt(ended_attempt_row(seq));
    ticket = store.end(outcome_row(seq));
  }
  return ticket;
}

}  // namespace

TEST_CASE("what was written is there after the next opening, field by field", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    for (int i = 0; i < 6; ++i) store.add(job_row(store.next_seq()));
    AttemptRow begun;
    begun.seq = 2;
    begun.number = 1;
    begun.started_us = 77;
    store.attempt(begun);
    store.attempt(ended_attempt_row(3));
    ProcessRow process;
    process.seq = 2;
    process.pid = 4711;
    process.start_ticks = 123456789;
    store.process(process);
    GroupRow group;
    group.name = "exec";
    group.limit = 3;
    group.paused = true;
    store.set_group(group);
    const bool on_disk = co_await store.written(store.end(outcome_row(4)));
    CHECK(on_disk);
  });
  Store store(directory.options());
  int jobs = 0;
  std::string order;
  Recovery into;
  into.group = [&](const GroupRow& row) {
    order += "g ";
    CHECK(row.name == "exec");
    CHECK(row.limit == 3);
    CHECK(row.paused);
  };
  into.job = [&](const JobRow& row) {
    order += "j" + std::to_string(row.seq) + " ";
    const JobRow expected = job_row(++jobs);
    CHECK(row.seq == expected.seq);
    CHECK(row.id == expected.id);
    CHECK(row.kind == expected.kind);
    CHECK(row.args == expected.args);
    CHECK(row.context == expected.context);
    CHECK(row.group == expected.group);
    CHECK(row.priority == expected.priority);
    CHECK(row.owner_uid == expected.owner_uid);
    CHECK(row.submitted_us == expected.submitted_us);
    CHECK(row.eligible_us == expected.eligible_us);
    CHECK(row.started_us == expected.started_us);
    CHECK(row.options == expected.options);
  };
  into.attempt = [&](const AttemptRow& row) {
    order += "a" + std::to_string(row.seq) + " ";
    if (row.seq == 2) {
      CHECK(row.started_us == 77);
      CHECK_FALSE(row.ended_us);
      CHECK(row.state == "");
      return;
    }
    const AttemptRow expected = ended_attempt_row(3);
    CHECK(row.number == expected.number);
    CHECK(row.ended_us == expected.ended_us);
    CHECK(row.state == expected.state);
    CHECK(row.error_type == expected.error_type);
    CHECK(row.error_message == expected.error_message);
    CHECK(row.next_us == expected.next_us);
    CHECK(row.usage == expected.usage);
  };
  into.process = [&](const ProcessRow& row) {
    order += "p" + std::to_string(row.seq) + " ";
    CHECK(row.pid == 4711);
    CHECK(row.start_ticks == 123456789);
  };
  into.outcome = [&](const OutcomeRow& row) {
    order += "o" + std::to_string(row.seq) + " ";
    const OutcomeRow expected = outcome_row(4);
    CHECK(row.state == expected.state);
    CHECK(row.ended_us == expected.ended_us);
    CHECK(row.result == expected.result);
    CHECK(row.error_type == expected.error_type);
    CHECK(row.error_message == expected.error_message);
    CHECK(row.reason == expected.reason);
    CHECK(row.leftovers == expected.leftovers);
    CHECK(row.stdout_tail == "");  // read() has the tails
  };
  store.recover(into);
  CHECK(order == "g j1 j2 a2 p2 j3 a3 j4 o4 j5 j6 ");
  CHECK(store.next_seq() == 7);
}

TEST_CASE("the end of an attempt, or of its job, ends its processes", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    for (const Seq seq : {1, 2}) {
      store.add(job_row(store.next_seq()));
      ProcessRow process;
      process.seq = seq;
      process.pid = 5;
      store.process(process);
    }
    store.attempt(ended_attempt_row(1));
    const bool on_disk = co_await store.written(store.end(outcome_row(2)));
    CHECK(on_disk);
  });
  Store store(directory.options());
  int processes = 0;
  Recovery into;
  into.process = [&](const ProcessRow&) { ++processes; };
  store.recover(into);
  CHECK(processes == 0);
}

TEST_CASE("all that is added in one step is one transaction, and what comes meanwhile is the next",
          "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    Ticket first = 0, second = 0;
    for (int i = 0; i < 100; ++i) first = store.add(job_row(store.next_seq()));
    co_await corun::sleep(std::chrono::seconds(0));  // it is with the thread now
    for (int i = 0; i < 100; ++i) second = store.add(job_row(store.next_seq()));
    const Settled one = co_await store.settled();
    CHECK(one.upto == first);
    CHECK(store.stats().commits == 1);
    const bool on_disk = co_await store.written(second);
    CHECK(on_disk);
    CHECK(store.stats().commits == 2);
    const Settled two = co_await store.settled();
    CHECK(two.upto == second);
    CHECK(store.stats().commits == 2);
    CHECK(store.stats().commit.max > 0);
    CHECK(store.stats().last_commit_us > 0);
    CHECK(store.stats().bytes > 4096);
  });
}

TEST_CASE("a commit is one sync", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  const auto main = [&](Store& store) -> corun::Coro<> {
    co_await store.written_at_last(store.add(job_row(store.next_seq())));
    const int before = vfs.calls(DiskCall::sync);
    for (int i = 0; i < 200; ++i) co_await store.written_at_last(store.add(job_row(store.next_seq())));
    // The thread folds the WAL where it idles for half a second, on a machine that is very busy: two more.
    CHECK(vfs.calls(DiskCall::sync) - before >= 200);
    CHECK(vfs.calls(DiskCall::sync) - before <= 203);
  };
  CHECK(run_store(directory.options(vfs.name()), true, main).closing == "");
}

TEST_CASE("a large transaction is begun while it grows, and refused as one", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  Ticket attempt = 0;
  const auto main = [&](Store& store) -> corun::Coro<> {
    for (int i = 0; i < 100; ++i) store.add(job_row(store.next_seq()));
    co_await store.written(store.attempt(ended_attempt_row(1)));
    CHECK(store.stats().commits == 1);
    (void)co_await store.settled();

    vfs.fail(DiskCall::sync, 1, EIO);
    for (int i = 0; i < 40; ++i) store.add(job_row(store.next_seq()));
    attempt = store.attempt(ended_attempt_row(2));
    for (int i = 0; i < 40; ++i) store.add(job_row(store.next_seq()));
    const bool taken = co_await store.written(attempt);
    CHECK_FALSE(taken);
    const Settled refused = co_await store.settled();
    CHECK(refused.refused);
    co_await store.written_at_last(attempt);

    for (int i = 0; i < 20; ++i) store.add(job_row(store.next_seq()));  // begun, and closed with
  };
  CHECK(run_store(directory.options(vfs.name()), true, main).closing == "");
  Database database(directory.database(), false, {});
  CHECK(database.number("SELECT count(*) FROM job") == 120);
  CHECK(database.number("SELECT count(*) FROM attempt") == 2);
}

TEST_CASE("the WAL is folded again and again, and its file does not grow", "[store]") {
  const StoreDirectory directory;
  const std::string args = "{\"text\":\"" + std::string(20'000, 'x') + "\"}";
  with_store(directory, [&](Store& store) -> corun::Coro<> {
    std::uint64_t largest = 0;
    for (int i = 0; i < 900; ++i) {  // 18 MB
      JobRow row = job_row(store.next_seq());
      row.args = args;
      co_await store.written_at_last(store.add(row));
      largest = std::max<std::uint64_t>(largest, std::filesystem::file_size(directory.database() + "-wal"));
    }
    CHECK(largest <= 5 * 1024 * 1024);
  });
  CHECK_FALSE(std::filesystem::exists(directory.database() + "-wal"));  // closed: folded and gone
}

TEST_CASE("a reader that stays holds nothing up", "[store]") {
  const StoreDirectory directory;
  const std::string args = "{\"text\":\"" + std::string(20'000, 'x') + "\"}";
  with_store(directory, [&](Store& store) -> corun::Coro<> {
    co_await store.written_at_last(store.add(job_row(store.next_seq())));
    Database reader(directory.database(), false, {});
    reader.exec("BEGIN");
    CHECK(reader.number("SELECT count(*) FROM jobs") == 1);
    for (int i = 0; i < 400; ++i) {
      JobRow row = job_row(store.next_seq());
      row.args = args;
      co_await store.written_at_last(store.add(row));
    }
    CHECK(reader.number("SELECT count(*) FROM jobs") == 1);
    reader.exec("COMMIT");
    CHECK(reader.number("SELECT count(*) FROM jobs") == 401);
    reader.fold_on_close(false);
    const auto grown = std::filesystem::file_size(directory.database() + "-wal");
    for (int i = 0; i < 400; ++i) {
      JobRow row = job_row(store.next_seq());
      row.args = args;
      co_await store.written_at_last(store.add(row));
    }
    CHECK(std::filesystem::file_size(directory.database() + "-wal") < grown + 5 * 1024 * 1024);
  });
}

TEST_CASE("another connection reads while the store writes", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [&](Store& store) -> corun::Coro<> {
    co_await store.written_at_last(store.add(job_row(store.next_seq())));
    Database reader(directory.database(), false, {});
    reader.fold_on_close(false);
    std::int64_t seen = 1;
    for (int i = 0; i < 100; ++i) {
      const Ticket ticket = store.add(job_row(store.next_seq()));
      const std::int64_t now =
          reader.number("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')");
      CHECK(now >= seen);
      seen = now;
      co_await store.written_at_last(ticket);
      CHECK(reader.number("SELECT max(seq) FROM job") == i + 2);
    }
  });
}

TEST_CASE("jobs are removed in small steps, and their seqs are not given out again", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    co_await store.written_at_last(add_ended(store, 1000));
    const auto before = store.stats().commits;
    for (Seq seq = 1; seq <= 1000; ++seq) store.forget(seq);
    // A submission is not kept waiting for all of it.
    co_await store.written_at_last(store.add(job_row(store.next_seq())));
    CHECK(store.stats().commits == before + 1);
    Recovery nothing;
    for (bool there = true; there;) there = co_await store.read(1000, nothing);
    CHECK(store.stats().commits >= before + 8);
    const Seq last = 1001;
    store.end(outcome_row(last));
    store.forget(last);
    for (bool there = true; there;) there = co_await store.read(last, nothing);
  });
  const Kept kept = kept_in(directory);
  CHECK(kept.jobs.empty());
  CHECK(kept.attempts.empty());
  CHECK(kept.outcomes.empty());
  Store store(directory.options());
  CHECK(store.next_seq() == 1002);
}

TEST_CASE("seqs are not given out again where the last jobs are removed at the close", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    co_await store.written_at_last(add_ended(store, 10));
    for (Seq seq = 1; seq <= 10; ++seq) store.forget(seq);  // and the store is closed
  });
  CHECK(kept_in(directory).jobs.empty());
  Store store(directory.options());
  CHECK(store.next_seq() == 11);
}

TEST_CASE("one job is read with its tails, after what was staged before", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    const Seq seq = store.next_seq();
    store.add(job_row(seq));
    store.attempt(ended_attempt_row(seq));
    store.end(outcome_row(seq));
    std::string order, tail;
    Recovery into;
    into.job = [&](const JobRow& row) { order += "j" + std::string(row.args); };
    into.attempt = [&](const AttemptRow& row) { order += "a" + std::string(row.state); };
    into.outcome = [&](const OutcomeRow& row) {
      order += "o";
      tail = row.stdout_tail;
    };
    const bool found = co_await store.read(seq, into);
    CHECK(found);
    CHECK(order == R"(j{"text":"hello"}afailedo)");
    CHECK(tail == outcome_row(seq).stdout_tail);
    const bool other = co_await store.read(seq + 1, into);
    CHECK_FALSE(other);
  });
}

TEST_CASE("who stops waiting stops only that", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    auto reader = corun::create_task(store.settled());
    auto waiter = corun::create_task(store.written_at_last(1));
    co_await corun::sleep(std::chrono::seconds(0));
    reader.cancel();
    waiter.cancel();
    const Ticket ticket = store.add(job_row(store.next_seq()));
    const Settled settled = co_await store.settled();
    CHECK(settled.upto == ticket);
    CHECK(reader.cancelled());
    CHECK(waiter.cancelled());
    const bool on_disk = co_await store.written(ticket);
    CHECK(on_disk);
  });
}

TEST_CASE("close() writes what is staged, and nothing is taken afterwards", "[store]") {
  const StoreDirectory directory;
  with_store(directory, [](Store& store) -> corun::Coro<> {
    store.add(job_row(store.next_seq()));
    co_return;
  });
  CHECK(kept_in(directory).jobs.size() == 1);
  corun::Runner runner;
  Store store(directory.options());
  store.start(runner.loop());
  CHECK_FALSE(store.close());
  CHECK_FALSE(store.close());
  const auto main = [&]() -> corun::Coro<> {
    const Ticket ticket = store.add(job_row(store.next_seq()));
    CHECK(ticket == 0);
    const bool on_disk = co_await store.written(ticket + 1);
    CHECK_FALSE(on_disk);
    bool refused = false;
    try {
      co_await store.written_at_last(ticket + 1);
    } catch (const StoreError& error) {
      refused = error.trouble() == Trouble::io;
    }
    CHECK(refused);
  };
  runner.run(main());
}

TEST_CASE("a store that a closed loop left behind writes what it was given", "[store]") {
  const StoreDirectory directory;
  corun::Runner runner;
  Store store(directory.options());
  store.start(runner.loop());
  const auto main = [&]() -> corun::Coro<> {
    store.add(job_row(store.next_seq()));
    co_await corun::sleep(std::chrono::seconds(0));
    store.add(job_row(store.next_seq()));
  };
  runner.run(main());
  runner.close();
  CHECK_FALSE(store.close());
  CHECK(kept_in(directory).jobs.size() == 2);
}

TEST_CASE("changes made between recover() and start() are written", "[store]") {
  const StoreDirectory directory;
  corun::Runner runner;
  Store store(directory.options());
  store.recover({});
  const Ticket ticket = store.add(job_row(store.next_seq()));
  store.start(runner.loop());
  const bool on_disk = runner.run(store.written(ticket));
  CHECK(on_disk);
  CHECK_FALSE(store.close());
}

TEST_CASE("a store in memory keeps nothing", "[store]") {
  StoreOptions options;
  options.directory = ":memory:";
  for (int i = 0; i < 2; ++i) {
    const RunEnd end = run_store(options, true, [](Store& store) -> corun::Coro<> {
      CHECK(store.next_seq() == 1);
      const bool on_disk = co_await store.written(store.add(job_row(1)));
      CHECK(on_disk);
      Recovery nothing;
      const bool found = co_await store.read(1, nothing);
      CHECK(found);
    });
    CHECK(end.opening == "");
    CHECK(end.closing == "");
  }
}
