// SPDX-License-Identifier: MIT
#include "daemon/store/schema.hpp"

#include <string>

#include "daemon/store/tables.hpp"
#include "store_load.hpp"
#include "support/catch.hpp"

using namespace corund::store;
using namespace tests;

TEST_CASE("a new schema says whose it is and of which version", "[store]") {
  Database database(":memory:", true, {});
  create_schema(database);
  CHECK(database.number("PRAGMA application_id") == 0x436f5264);
  CHECK(database.number("PRAGMA user_version") == schema_version);
  CHECK(database.text("SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema WHERE type = "
                      "'table' ORDER BY name)") == "attempt group_setting job last_seq outcome process");
}

TEST_CASE("the view shows one line for each job, with its state", "[store]") {
  Database database(":memory:", true, {});
  create_schema(database);
  Tables tables(database);
  const auto add = [&](Seq seq, std::optional<std::int64_t> started, std::int64_t eligible = 0) {
    JobRow row = job_row(seq);
    row.started_us = started;
    row.eligible_us = eligible;
    const Change change = row;
    tables.add_jobs({&change, 1}, 1);
  };
  const std::int64_t later = 4'000'000'000'000'000;
  add(1, {});
  add(2, 5);
  add(3, {}, later);
  add(4, 5);
  tables.write(ended_attempt_row(4));  // another one was due in 2023
  add(5, {});
  AttemptRow second = ended_attempt_row(5);
  tables.write(second);
  second.number = 2;
  second.ended_us.reset();
  second.next_us.reset();
  tables.write(second);
  add(6, 5);
  tables.write(outcome_row(6));
  add(7, 5);
  AttemptRow waiting = ended_attempt_row(7);
  waiting.next_us = later;
  tables.write(waiting);
  CHECK(database.text("SELECT group_concat(seq || state || attempts, ' ') FROM jobs") ==
        "1queued0 2running1 3delayed0 4queued1 5running2 6failed1 7delayed1");
  CHECK(database.text("SELECT submitted || '|' || ended || '|' || error_type || '|' || \"group\" FROM jobs "
                      "WHERE seq = 6") == "2023-11-14 22:13:20|2023-11-14 22:13:21|ExitError|default");
}

TEST_CASE("migrations run from a version to the next, each for itself, and a broken one changes nothing",
          "[store]") {
  const auto made = [] {
    Database database(":memory:", true, {});
    database.exec("CREATE TABLE t (a INTEGER); PRAGMA user_version = 1");
    return database;
  };
  const Migration steps[] = {{1, "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 7"},
                             {2, "INSERT INTO t (a) VALUES (1); UPDATE t SET b = b + 1"}};
  Database database = made();
  migrate(database, 1, 3, steps);
  CHECK(database.number("PRAGMA user_version") == 3);
  CHECK(database.number("SELECT b FROM t") == 8);

  Database later = made();
  later.exec("ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 20; PRAGMA user_version = 2");
  migrate(later, 2, 3, steps);
  CHECK(later.number("SELECT b FROM t") == 21);

  Database as_it_is = made();
  migrate(as_it_is, 1, 1, steps);
  CHECK(as_it_is.number("PRAGMA user_version") == 1);

  Database no_way = made();
  CHECK_THROWS_AS(migrate(no_way, 1, 4, steps), StoreError);

  const Migration broken[] = {{1, "CREATE TABLE u (a INTEGER); INSERT INTO nowhere VALUES (1)"}};
  Database refused = made();
  CHECK_THROWS_AS(migrate(refused, 1, 2, broken), StoreError);
  CHECK(refused.number("PRAGMA user_version") == 1);
  CHECK(refused.number("SELECT count(*) FROM sqlite_schema") == 1);
}

TEST_CASE("the versions that were ever written all have a way to this one", "[store]") {
  int reached = 1;
  for (const Migration& step : migrations()) {
    CHECK(step.from == reached);
    ++reached;
  }
  CHECK(reached == schema_version);
}
