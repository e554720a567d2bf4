// SPDX-License-Identifier: MIT
// Batches into transactions. A batch is one transaction with one sync, or the end of one whose first rows were
// written already; a failed transaction leaves nothing behind. Also looks after the WAL. Runs wherever it is
// called: writer_thread gives it its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/store/batch.hpp"
#include "daemon/store/database.hpp"
#include "daemon/store/tables.hpp"

namespace corund::store {

// Rows of one job, asked for by the loop and found here. Copies.
struct Lookup {
  Seq seq = 0;
  bool found = false;
  Batch rows;
  std::optional<StoreError> error;
  bool done = false;  // the loop's: it has come back
};

// What goes to the writer, and comes back with what became of it.
struct Work {
  std::unique_ptr<Batch> batch;  // never null
  Seq last_seq = 0;              // given out so far; kept when jobs are removed
  std::vector<std::shared_ptr<Lookup>> lookups;

  std::vector<std::unique_ptr<Batch>> begun;  // what the transaction began with, in order
  std::optional<StoreError> error;            // the transaction failed
  std::chrono::nanoseconds took{0};
  std::int64_t ended_us = 0;  // since the epoch

  std::size_t submissions() const noexcept;
};

class Writer {
 public:
  // The WAL is folded into the database when it has grown to this, and when nothing else is to be done. Its
  // file is made as large at the start and never cut: a commit overwrites blocks that exist, which is cheaper
  // to sync than blocks that are new. Also bounds what a start has to read again after a crash.
  static constexpr std::int64_t wal_bytes = 4 * 1024 * 1024;

  // Errors: StoreError foreign.
  explicit Writer(Database database);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Writes rows of a transaction that the next write() ends. Never throws what the database says: that is the transaction's error.
  void begin(std::unique_ptr<Batch> rows);
  // Writes the batch, and what begin() was given before it, as one transaction, and then looks up. Never throws what the database says: it is
  // in the work.
  void write(Work& work);

  // Folds the WAL where it is large enough. What fails is tried again at the next call; the WAL has it all.
  void fold_when_large();
  // Folds the WAL where anything is in it. True: there is nothing more to fold.
  bool fold_when_idle();
  // Makes the WAL's file as large as it will be.
  void extend_wal() { database_.extend_wal(wal_bytes); }

  Tables& tables() noexcept { return *tables_; }
  // Folds and closes; nothing may be called afterwards. Errors: StoreError, closed all the same.
  void close();
  bool closed() const noexcept { return !tables_; }

 private:
  void add(const Batch& batch);
  void open();
  void commit(const Work& work);
  void look_up(Lookup& lookup);
  int frames_now();
  void fold() noexcept;

  Database database_;
  std::optional<Tables> tables_;
  std::vector<std::unique_ptr<Batch>> begun_;
  std::optional<StoreError> error_;  // of the transaction that was begun
  std::optional<Statement> open_, commit_;
  int fold_at_ = 0;         // frames
  int frames_seen_ = 0;     // in the WAL, when it was last looked at
  int folded_ = 0;          // of them, the database has
  bool uncertain_ = false;  // the latest transaction failed, what it wrote may still be in the WAL
  bool refused_ = false;    // a submission was dropped once: facts may be about jobs that have no row
};

}  // namespace corund::store
