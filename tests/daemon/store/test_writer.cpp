// SPDX-License-Identifier: MIT
#include "daemon/store/writer.hpp"

#include <cerrno>
#include <filesystem>

#include "daemon/store/opening.hpp"
#include "fault_vfs.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

Database opened(const StoreDirectory& directory, const std::string& vfs = {}) {
  OpeningOptions options;
  options.path = directory.database();
  options.vfs = vfs;
  return open_database(options).database;
}

Work work_of(std::initializer_list<Change> changes) {
  Work work;
  work.batch = std::make_unique<Batch>();
  for (const Change& change : changes) work.batch->add(change);
  return work;
}

}  // namespace

TEST_CASE("a batch is written whole or not at all", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  Writer writer(opened(directory, vfs.name()));
  Work first = work_of({job_row(1), job_row(2)});
  writer.write(first);
  CHECK_FALSE(first.error);
  CHECK(first.took.count() > 0);
  CHECK(first.ended_us > 1'700'000'000'000'000);
  vfs.fail(DiskCall::sync, 1, EIO);
  Work second = work_of({job_row(3), outcome_row(1)});
  writer.write(second);
  REQUIRE(second.error);
  CHECK(second.error->trouble() == Trouble::io);
  CHECK_FALSE(writer.tables().has_job(3));
  // Facts about a job that was refused are passed over, those about others are not.
  Work third = work_of({outcome_row(3), outcome_row(1), ended_attempt_row(3)});
  writer.write(third);
  CHECK_FALSE(third.error);
  int outcomes = 0;
  Recovery into;
  into.outcome = [&](const OutcomeRow& row) { outcomes += row.seq == 1 ? 1 : 100; };
  writer.tables().each(into);
  CHECK(outcomes == 1);
  writer.close();
  CHECK(writer.closed());
  Database database(directory.database(), false, {});
  CHECK(database.number("SELECT count(*) FROM outcome") == 1);
  CHECK(database.number("SELECT count(*) FROM attempt") == 0);
}

TEST_CASE("a transaction that failed is followed by one that shows whether the disk takes anything",
          "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  Writer writer(opened(directory, vfs.name()));
  vfs.fail(DiskCall::write, 1, ENOSPC, 2);
  Work first = work_of({job_row(1)});
  writer.write(first);
  REQUIRE(first.error);
  CHECK(first.error->trouble() == Trouble::full);
  const int writes = vfs.calls(DiskCall::write);
  Work second = work_of({job_row(2)});
  writer.write(second);
  CHECK(second.error);
  CHECK(vfs.calls(DiskCall::write) == writes + 1);  // the batch itself was not tried
  Work nothing = work_of({});
  writer.write(nothing);
  CHECK_FALSE(nothing.error);
  const int syncs = vfs.calls(DiskCall::sync);
  writer.write(nothing);
  CHECK(vfs.calls(DiskCall::sync) == syncs);  // nothing to write, and nothing in doubt
}

TEST_CASE("rows that were begun with are part of the transaction, whatever becomes of it", "[store]") {
  const StoreDirectory directory;
  FaultVfs vfs;
  const auto rows = [](std::initializer_list<Change> changes) { return std::move(work_of(changes).batch); };
  {
    Writer writer(opened(directory, vfs.name()));
    Database reader(directory.database(), false, vfs.name());
    const auto jobs = [&] { return reader.number("SELECT count(*) FROM job"); };
    writer.begin(rows({job_row(1), job_row(2)}));
    writer.begin(rows({outcome_row(1)}));
    CHECK(jobs() == 0);
    Work first = work_of({job_row(3)});
    writer.write(first);
    CHECK_FALSE(first.error);
    CHECK(first.begun.size() == 2);
    CHECK(first.submissions() == 3);
    CHECK(jobs() == 3);

    const int syncs = vfs.calls(DiskCall::sync);
    writer.begin(rows({job_row(4)}));
    Work only_begun = work_of({});
    writer.write(only_begun);
    CHECK_FALSE(only_begun.error);
    CHECK(jobs() == 4);
    CHECK(vfs.calls(DiskCall::sync) == syncs + 1);

    // The disk refuses at the end, or with the first rows already: nothing of it is there, and all of it comes back.
    writer.begin(rows({job_row(5), outcome_row(2)}));
    vfs.fail(DiskCall::sync, 1, EIO);
    Work second = work_of({job_row(6)});
    writer.write(second);
    REQUIRE(second.error);
    CHECK(second.submissions() == 2);
    vfs.fail(DiskCall::write, 1, EIO);
    writer.begin(rows({job_row(7)}));  // what shows whether the disk takes anything fails
    writer.begin(rows({job_row(8)}));
    Work third = work_of({job_row(9)});
    writer.write(third);
    REQUIRE(third.error);
    CHECK(third.begun.size() == 2);
    CHECK(jobs() == 4);

    writer.begin(rows({outcome_row(5), outcome_row(2)}));
    Work fourth = work_of({});
    writer.write(fourth);
    CHECK_FALSE(fourth.error);
    CHECK(reader.number("SELECT count(*) FROM outcome") == 2);

    writer.begin(rows({job_row(10)}));  // and nobody ends it
  }
  CHECK(Database(directory.database(), false, {}).number("SELECT count(*) FROM job") == 4);
}

TEST_CASE("the WAL is folded when it is large, and when nothing else is to do", "[store]") {
  const StoreDirectory directory;
  Writer writer(opened(directory));
  writer.extend_wal();
  CHECK(std::filesystem::file_size(directory.database() + "-wal") == Writer::wal_bytes);
  CHECK(writer.fold_when_idle());
  const auto database_bytes = [&] { return std::filesystem::file_size(directory.database()); };
  const auto empty = database_bytes();
  Work small = work_of({job_row(1)});
  writer.write(small);
  writer.fold_when_large();
  CHECK(database_bytes() == empty);
  JobRow large = job_row(2);
  const std::string args(Writer::wal_bytes, ' ');
  large.args = args;
  Work work = work_of({large});
  writer.write(work);
  CHECK(database_bytes() == empty);
  writer.fold_when_large();
  CHECK(database_bytes() > static_cast<std::uintmax_t>(Writer::wal_bytes));
  CHECK(writer.fold_when_idle());
}

TEST_CASE("what is looked up is a copy, found after the batch", "[store]") {
  const StoreDirectory directory;
  Writer writer(opened(directory));
  Work work = work_of({job_row(1), outcome_row(1)});
  work.lookups.push_back(std::make_shared<Lookup>());
  work.lookups[0]->seq = 1;
  writer.write(work);
  CHECK(work.lookups[0]->found);
  REQUIRE(work.lookups[0]->rows.changes().size() == 2);
  CHECK(std::get<OutcomeRow>(work.lookups[0]->rows.changes()[1]).stderr_tail == "err");
}
