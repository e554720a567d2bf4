// SPDX-License-Identifier: MIT
// A transaction that failed at its sync has its frames in the WAL's file, though not in the WAL: SQLite goes
// on writing at the place where they begin. If the process died first, a recovery could find them whole, and
// a submission that was refused would be there after all. So the first thing after a failure is a small
// write of nothing new (open()), which writes over them, and which shows at little cost whether the disk
// takes anything again. Until it succeeds no batch is tried.
#include "daemon/store/writer.hpp"

#include <algorithm>
#include <utility>

#include "daemon/store/schema.hpp"

namespace corund::store {
namespace {

constexpr std::int64_t page_bytes = 4096;
constexpr std::int64_t frame_bytes = page_bytes + 24;
constexpr int frames_max = static_cast<int>(Writer::wal_bytes / frame_bytes);
constexpr int fold_at_first = frames_max * 7 / 8;  // the rest is for the transaction that passes it

}  // namespace

Writer::Writer(Database database) : database_(std::move(database)), fold_at_(fold_at_first) {
  tables_.emplace(database_);
  open_.emplace(database_, "BEGIN IMMEDIATE");
  commit_.emplace(database_, "COMMIT");
  database_.watch_wal();
}

void Writer::open() {
  if (database_.in_transaction()) return;
  if (uncertain_) {
    // Writes the first page as it is: one frame.
    database_.exec(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
    uncertain_ = false;
  }
  open_->run();
}

void Writer::add(const Batch& batch) {
  if (batch.submissions() > 0) tables_->add_jobs(batch.changes(), batch.submissions());
  for (const Change& change : batch.changes()) {
    if (std::holds_alternative<JobRow>(change)) continue;
    if (refused_ && !std::holds_alternative<GroupRow>(change)) {
      const Seq seq = std::visit(
          [](const auto& row) -> Seq {
            if constexpr (requires { row.seq; }) return row.seq;
            return 0;
          },
          change);
      if (!tables_->has_job(seq)) continue;
    }
    tables_->write(change);
  }
}

void Writer::begin(std::unique_ptr<Batch> rows) {
  begun_.push_back(std::move(rows));
  if (error_) return;
  try {
    open();
    add(*begun_.back());
  } catch (const StoreError& error) {
    error_ = error;
  }
}

void Writer::commit(const Work& work) {
  if (error_) throw StoreError(*error_);
  if (work.batch->empty() && begun_.empty() && !uncertain_) return;
  open();
  add(*work.batch);
  if (!work.batch->forgotten().empty()) {
    for (const Seq seq : work.batch->forgotten()) tables_->remove(seq);
    tables_->set_last_seq(work.last_seq);
  }
  commit_->run();
}

void Writer::write(Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    commit(work);
  } catch (const StoreError& error) {
    database_.rollback();
    uncertain_ = true;
    work.error = error;
  }
  error_.reset();
  work.begun = std::exchange(begun_, {});
  if (work.error) refused_ = refused_ || work.submissions() > 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  work.took = std::chrono::steady_clock::now() - begin;
  work.ended_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  for (const auto& lookup : work.lookups) look_up(*lookup);
}

std::size_t Work::submissions() const noexcept {
  std::size_t count = batch->submissions();
  for (const auto& rows : begun) count += rows->submissions();
  return count;
}

void Writer::look_up(Lookup& lookup) {
  Recovery rows;
  rows.job = [&](const JobRow& row) { lookup.rows.add(row); };
  rows.attempt = [&](const AttemptRow& row) { lookup.rows.add(row); };
  rows.process = [&](const ProcessRow& row) { lookup.rows.add(row); };
  rows.outcome = [&](const OutcomeRow& row) { lookup.rows.add(row); };
  try {
    lookup.found = tables_->one(lookup.seq, rows);
  } catch (const StoreError& error) {
    lookup.error = error;
  }
}

// The WAL begins anew with the first transaction after all of it was folded, if no reader needs it.
int Writer::frames_now() {
  const int frames = database_.wal_frames();
  if (frames < frames_seen_) {
    folded_ = 0;
    fold_at_ = fold_at_first;
  }
  frames_seen_ = frames;
  return frames;
}

void Writer::fold() noexcept {
  try {
    folded_ = database_.checkpoint().folded;
  } catch (const StoreError&) {
    // The WAL has it all and grows meanwhile; where that is the trouble, a transaction says so.
  }
}

void Writer::fold_when_large() {
  const int frames = frames_now();
  if (frames < fold_at_) return;
  fold();
  fold_at_ = frames +
             frames_max / 4;  // where a reader keeps the WAL from beginning anew: not again with every commit
}

bool Writer::fold_when_idle() {
  if (frames_now() > folded_) fold();
  return frames_seen_ <= folded_;
}

void Writer::close() {
  tables_.reset();
  open_.reset();
  commit_.reset();
  std::optional<StoreError> error;
  try {
    database_.fold_on_close(true);
    database_.checkpoint();
  } catch (const StoreError& failed) {
    error = failed;
  }
  const Database closed = std::move(database_);
  if (error) throw *error;
}

}  // namespace corund::store
