// SPDX-License-Identifier: MIT
// The durable journal of jobs: one SQLite database (WAL, synchronous=FULL) and one thread that writes to it.
// This is the loop's side of it: changes are staged here without waiting, all that were staged while the
// thread wrote go into its next transaction together, and whoever promised something to a peer awaits the
// moment when it is on disk. Knows rows, not jobs.
//
// Two sorts of change. A submission (add) may be refused: when its transaction fails it is dropped, and
// settled() says so. Everything else is a fact (an attempt began, a job ended): it is kept and tried again
// until it is written, once a second and with each new change. Not thread-safe: the loop's thread only,
// except where it says otherwise.
#pragma once

#include <corun/corun.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/store/commit_log.hpp"
#include "daemon/store/rows.hpp"
#include "daemon/store/trouble.hpp"

namespace corund::store {

struct StoreOptions {
  std::string directory;    // $STATE_DIRECTORY; must exist. ":memory:": nothing outlives the process
  bool begin_anew = false;  // a damaged, newer or foreign file is renamed (NAME.set-aside-TIME, its WAL too)
                            // and an empty store begun
  std::string vfs;          // name of a registered SQLite VFS; empty: SQLite's default
};

// Counts changes; the store hands them out in order.
using Ticket = std::uint64_t;

// All changes up to `upto`, and since the one before, were dealt with by one transaction.
struct Settled {
  Ticket upto = 0;
  std::optional<StoreError> refused;  // set: it failed, and the submissions in it were dropped
};

struct StoreStats {
  std::uint64_t bytes = 0;  // database and WAL
  std::uint64_t commits = 0;
  CommitTimes commit;
  std::int64_t last_commit_us = 0;
  std::string failing;  // why the latest transaction failed; empty: it did not
};

class Store {
 public:
  // Opens, or makes, the database. Errors: StoreError; a file that is not ours, not sound or too new is left
  // exactly as it was unless begin_anew; the message says what to do.
  explicit Store(StoreOptions options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // What was set aside at the opening; empty: nothing.
  const std::string& set_aside() const noexcept;

  // Reads everything but the tails of outcomes (read() has them); blocks. In the order of seq; a job's row
  // comes first, then its attempts, its processes and its outcome; groups before all. Before start(). Errors:
  // StoreError (damaged); the files are then as they were.
  void recover(const Recovery& into);
  // From here on changes are written. loop: told by its mailbox; outlives this object, or close() comes
  // first.
  void start(corun::Loop& loop);
  // Writes what is staged, as far as the disk lets, folds the WAL into the database and closes. Blocks.
  // Afterwards changes are not taken. Returns what could not be written, where something could not.
  std::optional<StoreError> close();

  // The seq of the next job: each call another one.
  Seq next_seq() noexcept;

  // Changes. Everything added in one step of the loop is in one transaction.
  Ticket add(const JobRow& row);
  Ticket attempt(const AttemptRow& row);  // inserts or replaces
  Ticket process(const ProcessRow& row);
  Ticket end(const OutcomeRow& row);
  // The job and everything of it. Jobs that are over only. Done in small steps, soon: the ticket does not say
  // when, and after a crash the job may be there once more.
  Ticket forget(Seq seq);
  Ticket set_group(const GroupRow& row);

  // The next transaction that was dealt with, each told once, in order; for the one consumer that accepts
  // submissions. Cancellation: safe, nothing is lost.
  corun::Coro<Settled> settled();
  // Returns true when the change is on disk, false when the disk refuses at present (then the fact is still
  // kept and tried again). Not for submissions. Cancellation: of the wait only.
  corun::Coro<bool> written(Ticket ticket);
  // Returns when it is on disk, however long the disk refuses.
  corun::Coro<> written_at_last(Ticket ticket);

  // What is kept of one job that is over or waits, read on the store's thread: visitor's functions are called
  // in the loop's thread before this returns. False where there is no such job. Errors: StoreError.
  corun::Coro<bool> read(Seq seq, const Recovery& into);

  StoreStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // the last one out is a call of the thread that still waits in the loop's
                                // mailbox, or a coroutine of ours
};

}  // namespace corund::store
