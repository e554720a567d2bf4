// SPDX-License-Identifier: MIT
// A fact is a row that is inserted, hardly ever one that is rewritten: a submission, an attempt and an
// outcome each cost one insert at the right edge of a b-tree, so a batch of them touches few pages. That is
// also why there is no index on job.id: ids are random in their lower half and a second tree would double the
// pages of a commit; the daemon finds a job by seq, a person by a scan of the table. Large values stand last
// in their row: SQLite reads a row from its beginning and leaves alone the overflow pages that it does not
// need.
#include "daemon/store/schema.hpp"

#include <string>

namespace corund::store {
namespace {

constexpr const char* tables_sql = R"sql(
CREATE TABLE job (
  seq          INTEGER PRIMARY KEY,
  id           TEXT NOT NULL,
  kind         TEXT NOT NULL,
  context      TEXT NOT NULL,
  "group"      TEXT NOT NULL,
  priority     INTEGER NOT NULL,
  owner_uid    INTEGER NOT NULL,
  submitted_us INTEGER NOT NULL,
  eligible_us  INTEGER NOT NULL,
  started_us   INTEGER,
  options      TEXT,
  args         TEXT NOT NULL
) STRICT;

CREATE TABLE attempt (
  seq           INTEGER NOT NULL,
  number        INTEGER NOT NULL,
  started_us    INTEGER NOT NULL,
  ended_us      INTEGER,
  state         TEXT,
  next_us       INTEGER,
  error_type    TEXT,
  error_message TEXT,
  usage         TEXT,
  PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE process (
  seq         INTEGER NOT NULL,
  pid         INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  PRIMARY KEY (seq, pid)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcome (
  seq           INTEGER PRIMARY KEY,
  state         TEXT NOT NULL,
  ended_us      INTEGER NOT NULL,
  error_type    TEXT,
  error_message TEXT,
  reason        TEXT,
  leftovers     TEXT,
  result        TEXT,
  stdout_tail   BLOB,
  stderr_tail   BLOB
) STRICT;

CREATE TABLE group_setting (
  name    TEXT PRIMARY KEY,
  "limit" INTEGER,
  paused  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE last_seq (
  seq INTEGER NOT NULL
) STRICT;
INSERT INTO last_seq VALUES (0);
)sql";

// What a person asks for. The daemon does not read it.
constexpr const char* view_sql = R"sql(
CREATE VIEW jobs AS
SELECT job.seq, job.id, job.kind,
  CASE
    WHEN outcome.state IS NOT NULL THEN outcome.state
    WHEN latest.number IS NOT NULL AND latest.ended_us IS NULL THEN 'running'
    WHEN latest.number IS NULL AND job.started_us IS NOT NULL THEN 'running'
    WHEN coalesce(latest.next_us, job.eligible_us) > strftime('%s', 'now') * 1000000 THEN 'delayed'
    ELSE 'queued'
  END AS state,
  job."group", job.priority, job.owner_uid,
  coalesce(latest.number, job.started_us IS NOT NULL) AS attempts,
  datetime(job.submitted_us / 1000000, 'unixepoch') AS submitted,
  datetime(coalesce(latest.started_us, job.started_us) / 1000000, 'unixepoch') AS started,
  datetime(outcome.ended_us / 1000000, 'unixepoch') AS ended,
  outcome.error_type, outcome.error_message
FROM job
LEFT JOIN outcome ON outcome.seq = job.seq
LEFT JOIN attempt AS latest ON latest.seq = job.seq
  AND latest.number = (SELECT max(number) FROM attempt WHERE attempt.seq = job.seq)
ORDER BY job.seq;
)sql";

void set_version(Database& database, int version) {
  database.exec(("PRAGMA user_version = " + std::to_string(version)).c_str());
}

// Changes of one transaction; it ends without them where the body throws.
template <class F>
void in_transaction(Database& database, F body) {
  database.exec("BEGIN IMMEDIATE");
  try {
    body();
    database.exec("COMMIT");
  } catch (...) {
    database.rollback();
    throw;
  }
}

}  // namespace

std::span<const Migration> migrations() { return {}; }

void create_schema(Database& database) {
  in_transaction(database, [&] {
    database.exec(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
    database.exec(tables_sql);
    database.exec(view_sql);
    set_version(database, schema_version);
  });
}

void migrate(Database& database, int from, int to, std::span<const Migration> steps) {
  for (const Migration& step : steps) {
    if (step.from != from || from == to) continue;
    in_transaction(database, [&] {
      database.exec(step.sql);
      set_version(database, from + 1);
    });
    ++from;
  }
  if (from != to)
    throw StoreError(Trouble::newer, "there is no way from version " + std::to_string(from) +
                                         " of the tables to version " + std::to_string(to));
}

}  // namespace corund::store
