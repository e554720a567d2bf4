// SPDX-License-Identifier: MIT
#include "daemon/store/tables.hpp"

#include <algorithm>
#include <string>

namespace corund::store {
namespace {

#define JOB_COLUMNS                                                                                          \
  "seq, id, kind, context, \"group\", priority, owner_uid, submitted_us, eligible_us, started_us, options, " \
  "args"
#define ATTEMPT_COLUMNS "seq, number, started_us, ended_us, state, next_us, error_type, error_message, usage"
#define OUTCOME_COLUMNS "seq, state, ended_us, error_type, error_message, reason, leftovers, result"

JobRow job_of(const Statement& at) {
  JobRow row;
  row.seq = at.number(0);
  row.id = at.text(1);
  row.kind = at.text(2);
  row.context = at.text(3);
  row.group = at.text(4);
  row.priority = static_cast<int>(at.number(5));
  row.owner_uid = static_cast<uid_t>(at.number(6));
  row.submitted_us = at.number(7);
  row.eligible_us = at.number(8);
  row.started_us = at.number_or_none(9);
  row.options = at.text(10);
  row.args = at.text(11);
  return row;
}

AttemptRow attempt_of(const Statement& at) {
  AttemptRow row;
  row.seq = at.number(0);
  row.number = static_cast<int>(at.number(1));
  row.started_us = at.number(2);
  row.ended_us = at.number_or_none(3);
  row.state = at.text(4);
  row.next_us = at.number_or_none(5);
  row.error_type = at.text(6);
  row.error_message = at.text(7);
  row.usage = at.text(8);
  return row;
}

ProcessRow process_of(const Statement& at) {
  ProcessRow row;
  row.seq = at.number(0);
  row.pid = static_cast<pid_t>(at.number(1));
  row.start_ticks = at.number(2);
  return row;
}

OutcomeRow outcome_of(const Statement& at, bool with_tails) {
  OutcomeRow row;
  row.seq = at.number(0);
  row.state = at.text(1);
  row.ended_us = at.number(2);
  row.error_type = at.text(3);
  row.error_message = at.text(4);
  row.reason = at.text(5);
  row.leftovers = at.text(6);
  row.result = at.text(7);
  if (with_tails) {
    row.stdout_tail = at.text(8);
    row.stderr_tail = at.text(9);
  }
  return row;
}

GroupRow group_of(const Statement& at) {
  GroupRow row;
  row.name = at.text(0);
  row.limit = at.number_or_none(1);
  row.paused = at.number(2) != 0;
  return row;
}

// A table's rows in the order of seq, one step ahead, so that several can be merged.
class Stream {
 public:
  Stream(Database& database, const char* sql, bool wanted)
      : statement_(database, sql), more_(wanted && statement_.next()) {}

  // Calls f for each row of `seq`. Rows of a lower one belong to no job and are passed over.
  template <class F>
  void rows_of(Seq seq, F f) {
    while (more_ && statement_.number(0) <= seq) {
      if (statement_.number(0) == seq) f(statement_);
      more_ = statement_.next();
    }
  }

 private:
  Statement statement_;
  bool more_;
};

}  // namespace

Tables::Tables(Database& database)
    : database_(database),
      incoming_(database),
      // OR FAIL: else SQLite would keep a journal of its own to take back half a statement.
      insert_jobs_(database, ("INSERT OR FAIL INTO job (" JOB_COLUMNS ") SELECT " JOB_COLUMNS " FROM " + std::string(Incoming::table)).c_str()),
      insert_attempt_(database, "REPLACE INTO attempt (" ATTEMPT_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?)"),
      insert_process_(database, "REPLACE INTO process (seq, pid, start_ticks) VALUES (?,?,?)"),
      insert_outcome_(database, "REPLACE INTO outcome (" OUTCOME_COLUMNS
                                ", stdout_tail, stderr_tail) VALUES (?,?,?,?,?,?,?,?,?,?)"),
      insert_group_(database, "REPLACE INTO group_setting (name, \"limit\", paused) VALUES (?,?,?)"),
      delete_processes_(database, "DELETE FROM process WHERE seq = ?"),
      delete_job_(database, "DELETE FROM job WHERE seq = ?"),
      delete_attempts_(database, "DELETE FROM attempt WHERE seq = ?"),
      delete_outcome_(database, "DELETE FROM outcome WHERE seq = ?"),
      set_last_seq_(database, "UPDATE last_seq SET seq = ?"),
      find_job_(database, "SELECT 1 FROM job WHERE seq = ?") {}

void Tables::add_jobs(std::span<const Change> changes, std::size_t count) {
  incoming_.set(changes);
  insert_jobs_.run();
  if (database_.changes() != static_cast<std::int64_t>(count))
    throw StoreError(Trouble::foreign, std::string("there is a table or view '") + Incoming::table + "' in it that is not corund's; drop it");
}

void Tables::write(const Change& change) {
  std::visit(
      [this](const auto& row) {
        if constexpr (!std::is_same_v<decltype(row), const JobRow&>) insert(row);
      },
      change);
}

void Tables::insert(const AttemptRow& row) {
  insert_attempt_.number(1, row.seq).number(2, row.number).number(3, row.started_us).number(4, row.ended_us);
  insert_attempt_.text_or_null(5, row.state).number(6, row.next_us).text_or_null(7, row.error_type);
  insert_attempt_.text_or_null(8, row.error_message).text_or_null(9, row.usage).run();
  if (row.ended_us) delete_processes_.number(1, row.seq).run();
}

void Tables::insert(const ProcessRow& row) {
  insert_process_.number(1, row.seq).number(2, row.pid).number(3, row.start_ticks).run();
}

void Tables::insert(const OutcomeRow& row) {
  insert_outcome_.number(1, row.seq)
      .text(2, row.state)
      .number(3, row.ended_us)
      .text_or_null(4, row.error_type);
  insert_outcome_.text_or_null(5, row.error_message)
      .text_or_null(6, row.reason)
      .text_or_null(7, row.leftovers);
  insert_outcome_.text_or_null(8, row.result)
      .blob_or_null(9, row.stdout_tail)
      .blob_or_null(10, row.stderr_tail)
      .run();
  delete_processes_.number(1, row.seq).run();
}

void Tables::insert(const GroupRow& row) {
  insert_group_.text(1, row.name).number(2, row.limit).number(3, row.paused ? 1 : 0).run();
}

bool Tables::has_job(Seq seq) {
  find_job_.number(1, seq);
  const bool found = find_job_.next();
  find_job_.reset();
  return found;
}

void Tables::remove(Seq seq) {
  for (Statement* statement : {&delete_job_, &delete_attempts_, &delete_processes_, &delete_outcome_})
    statement->number(1, seq).run();
}

void Tables::set_last_seq(Seq seq) { set_last_seq_.number(1, seq).run(); }

Seq Tables::last_seq() {
  return std::max(database_.number("SELECT coalesce(max(seq), 0) FROM job"),
                  database_.number("SELECT coalesce(max(seq), 0) FROM last_seq"));
}

void Tables::each(const Recovery& into) {
  if (into.group) {
    Statement groups(database_, "SELECT name, \"limit\", paused FROM group_setting ORDER BY name");
    while (groups.next()) into.group(group_of(groups));
  }
  Stream attempts(database_, "SELECT " ATTEMPT_COLUMNS " FROM attempt ORDER BY seq, number",
                  bool(into.attempt));
  Stream processes(database_, "SELECT seq, pid, start_ticks FROM process ORDER BY seq, pid",
                   bool(into.process));
  Stream outcomes(database_, "SELECT " OUTCOME_COLUMNS " FROM outcome ORDER BY seq", bool(into.outcome));
  Statement jobs(database_, "SELECT " JOB_COLUMNS " FROM job ORDER BY seq");
  for (Seq before = 0; jobs.next();) {
    const JobRow row = job_of(jobs);
    if (row.seq <= before)
      throw StoreError(Trouble::damaged, "jobs are out of order at seq " + std::to_string(row.seq));
    before = row.seq;
    if (into.job) into.job(row);
    attempts.rows_of(row.seq, [&](const Statement& at) { into.attempt(attempt_of(at)); });
    processes.rows_of(row.seq, [&](const Statement& at) { into.process(process_of(at)); });
    outcomes.rows_of(row.seq, [&](const Statement& at) { into.outcome(outcome_of(at, false)); });
  }
}

bool Tables::one(Seq seq, const Recovery& into) {
  if (!has_job(seq)) return false;
  const auto rows = [&](const char* sql, auto tell) {
    Statement statement(database_, sql);
    statement.number(1, seq);
    while (statement.next()) tell(statement);
  };
  if (into.job)
    rows("SELECT " JOB_COLUMNS " FROM job WHERE seq = ?", [&](const Statement& at) { into.job(job_of(at)); });
  if (into.attempt)
    rows("SELECT " ATTEMPT_COLUMNS " FROM attempt WHERE seq = ? ORDER BY number",
         [&](const Statement& at) { into.attempt(attempt_of(at)); });
  if (into.process)
    rows("SELECT seq, pid, start_ticks FROM process WHERE seq = ?",
         [&](const Statement& at) { into.process(process_of(at)); });
  if (into.outcome)
    rows("SELECT " OUTCOME_COLUMNS ", stdout_tail, stderr_tail FROM outcome WHERE seq = ?",
         [&](const Statement& at) { into.outcome(outcome_of(at, true)); });
  return true;
}

}  // namespace corund::store
