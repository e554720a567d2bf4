// SPDX-License-Identifier: MIT
#include "daemon/store/tables.hpp"

#include "daemon/store/schema.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

namespace {

struct Made {
  Made() { create_schema(database); }
  Database database{":memory:", true, {}};
};

// j1 a1 a1 o1 ...: what a Recovery is told.
std::string told_by(const std::function<void(const Recovery&)>& read) {
  std::string order;
  const auto tell = [&](char what, Seq seq) {
    order += (order.empty() ? "" : " ") + std::string(1, what) + std::to_string(seq);
  };
  Recovery into;
  into.job = [&](const JobRow& row) { tell('j', row.seq); };
  into.attempt = [&](const AttemptRow& row) { tell('a', row.seq); };
  into.process = [&](const ProcessRow& row) { tell('p', row.seq); };
  into.outcome = [&](const OutcomeRow& row) { tell('o', row.seq); };
  read(into);
  return order;
}

void add_job(Tables& tables, Seq seq) {
  const Change change = job_row(seq);
  tables.add_jobs({&change, 1}, 1);
}

}  // namespace

TEST_CASE("rows come in the order of seq, whatever the order in which they were written", "[store]") {
  Made made;
  Tables tables(made.database);
  for (const Seq seq : {3, 1, 2}) add_job(tables, seq);
  tables.write(outcome_row(2));
  tables.write(outcome_row(1));
  AttemptRow second = ended_attempt_row(1);
  second.number = 2;
  tables.write(second);
  tables.write(ended_attempt_row(1));
  ProcessRow process;
  process.seq = 3;
  process.pid = 9;
  tables.write(process);
  tables.write(ended_attempt_row(99));  // of no job
  CHECK(told_by([&](const Recovery& into) { tables.each(into); }) == "j1 a1 a1 o1 j2 o2 j3 p3");
  CHECK(told_by([&](const Recovery& into) { tables.one(1, into); }) == "j1 a1 a1 o1");
  CHECK(told_by([&](const Recovery& into) { CHECK_FALSE(tables.one(4, into)); }) == "");
  Recovery only_outcomes;
  int outcomes = 0;
  only_outcomes.outcome = [&](const OutcomeRow&) { ++outcomes; };
  tables.each(only_outcomes);
  CHECK(outcomes == 2);
}

TEST_CASE("a row takes the place of the one with its key", "[store]") {
  Made made;
  Tables tables(made.database);
  add_job(tables, 1);
  AttemptRow row = ended_attempt_row(1);
  row.ended_us.reset();
  tables.write(row);
  tables.write(ended_attempt_row(1));
  tables.write(outcome_row(1));
  tables.write(outcome_row(1));
  CHECK(told_by([&](const Recovery& into) { tables.each(into); }) == "j1 a1 o1");
  for (const bool paused : {true, false}) {
    GroupRow group;
    group.name = "";
    group.paused = paused;
    tables.write(group);
  }
  int groups = 0;
  Recovery into;
  into.group = [&](const GroupRow& group) {
    ++groups;
    CHECK_FALSE(group.paused);
    CHECK_FALSE(group.limit);
  };
  tables.each(into);
  CHECK(groups == 1);
}

TEST_CASE("what is removed is gone from every table, and its seq is remembered", "[store]") {
  Made made;
  Tables tables(made.database);
  CHECK(tables.last_seq() == 0);
  for (const Seq seq : {1, 2}) {
    add_job(tables, seq);
    tables.write(outcome_row(seq));
    tables.write(ended_attempt_row(seq));
    ProcessRow process;
    process.seq = seq;
    tables.write(process);
  }
  CHECK(tables.last_seq() == 2);
  CHECK(tables.has_job(2));
  tables.remove(2);
  tables.set_last_seq(2);
  CHECK_FALSE(tables.has_job(2));
  CHECK(tables.last_seq() == 2);
  CHECK(told_by([&](const Recovery& into) { tables.each(into); }) == "j1 a1 p1 o1");
  CHECK(made.database.number("SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM process) + "
                             "(SELECT count(*) FROM outcome)") == 3);
}

TEST_CASE("a table of somebody's that stands where submissions are handed over loses none", "[store]") {
  Made made;
  made.database.exec("CREATE VIEW incoming AS SELECT * FROM job WHERE 0");
  Tables tables(made.database);
  bool is_refused = false;
  try {
    add_job(tables, 1);
  } catch (const StoreError& error) {
    is_refused = true;
    CHECK(error.trouble() == Trouble::foreign);
    CHECK(std::string(error.what()).find("'incoming'") != std::string::npos);
  }
  CHECK(is_refused);
  CHECK_FALSE(tables.has_job(1));
}
