// SPDX-License-Identifier: MIT
// Rows in and out of the tables: every statement that the store runs on them, prepared once.
#pragma once

#include <span>

#include "daemon/store/batch.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/incoming.hpp"
#include "daemon/store/rows.hpp"

namespace corund::store {

// Not thread-safe, like its Database, which outlives it. Errors: StoreError from every function.
class Tables {
 public:
  // Errors: foreign where the tables are not as they should be.
  explicit Tables(Database& database);

  // Inserts the submissions among the changes, in their order; there are `count`. After an error some of them are there: the transaction is to be
  // taken back. Errors: foreign too, where somebody has made a table in whose name they are handed over.
  void add_jobs(std::span<const Change> changes, std::size_t count);
  // Inserts a row of another table than `job`, or takes the place of the one with its key.
  void write(const Change& change);
  // Whether the job has a row.
  bool has_job(Seq seq);
  // Removes the job and everything of it.
  void remove(Seq seq);
  // Remembers that `seq` was given out, whatever is removed.
  void set_last_seq(Seq seq);

  // The highest seq ever kept; 0: none.
  Seq last_seq();
  // All rows in the order of seq, without the tails of outcomes. Errors: damaged where that order does not
  // hold.
  void each(const Recovery& into);
  // All of one job, with the tails. False: there is none.
  bool one(Seq seq, const Recovery& into);

 private:
  void insert(const AttemptRow& row);
  void insert(const ProcessRow& row);
  void insert(const OutcomeRow& row);
  void insert(const GroupRow& row);

  Database& database_;
  Incoming incoming_;
  Statement insert_jobs_;
  Statement insert_attempt_;
  Statement insert_process_;
  Statement insert_outcome_;
  Statement insert_group_;
  Statement delete_processes_;
  Statement delete_job_;
  Statement delete_attempts_;
  Statement delete_outcome_;
  Statement set_last_seq_;
  Statement find_job_;
};

}  // namespace corund::store
