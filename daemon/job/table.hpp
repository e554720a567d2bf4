// SPDX-License-Identifier: MIT
// All jobs that are known: those that wait and run, and the records of those that ended, kept by number, age and bytes. Finds them by
// id, walks them in the order of their ids, counts them by state. Owns the memory of every job and uses it again; nothing it does for one
// job grows with the number of jobs.
#pragma once

#include <array>
#include <chrono>
#include <corun/base/intrusive_list.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/job/changes.hpp"
#include "daemon/job/job.hpp"
#include "daemon/job/spares.hpp"

namespace corund::job {

// How many ended jobs are kept. bytes bounds what their arguments, results and output take in memory together: past it, those that
// have a row in the store are shelved (their bodies stay on disk only), the others dropped.
struct Retention {
  std::size_t records = 100'000;        // that have a row in the store
  std::size_t memory_records = 10'000;  // that have none
  std::chrono::nanoseconds age = std::chrono::hours(168);
  std::size_t bytes = std::size_t{64} << 20;
};

// A job that is no longer known, for those who keep something by it.
struct Dropped {
  std::int64_t seq;
  Ulid id;
  uid_t owner;
  std::string key;
};

using Counts = std::array<std::uint64_t, state_count>;

class Table {
 public:
  explicit Table(Retention retention = {});
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // A new job, queued, with a new id; its spec is empty and to be filled. Errors: std::bad_alloc.
  Job& add(std::int64_t now_us);
  // The same with an id that it had before; ids made later are larger. To be called in the order of the ids, before add() ever is.
  Job& adopt(const Ulid& id, std::int64_t submitted_us);

  // Null where there is none, or its record is no longer kept.
  Job* find(const Ulid& id) const noexcept;
  Job* find(std::string_view id) const noexcept;

  // The one way to change a job's state: counts follow. A job that is over is kept as long as the retention says.
  void change(Job& job, State next, std::int64_t now_us);
  // A job that ended in a former life: its body stays on disk. Not counted among those that ended since the table was made.
  void restore_end(Job& job, State state, std::int64_t ended_us);
  // The job has been taken, and is in its first state: who reads changes() hears of it.
  void announce(const Job& job) {
    if (changes_.is_read()) [[unlikely]] changes_.add(job, job.submitted_us);
  }
  // Takes back an add() that came to nothing.
  void discard(Job& job);
  // Drops the record of a job that is over, now.
  void remove(Job& job);
  // Jobs dropped since the last call that have a row in the store or a key; in the order of their dropping.
  std::vector<Dropped> take_dropped() noexcept { return std::exchange(dropped_, {}); }
  bool has_dropped() const noexcept { return !dropped_.empty(); }
  // Drops records that have become too old, a limited number at a time; change() drops those that are too many.
  void expire(std::int64_t now_us);

  // When the oldest record will be too old, in microseconds since the epoch; nothing where there is none.
  std::optional<std::int64_t> next_expiry_us() const noexcept;

  // Jobs in states that are not over: how many now. The others: how many since the table was made.
  const Counts& counts() const noexcept { return counts_; }
  std::size_t size() const noexcept { return size_; }
  const Retention& retention() const noexcept { return retention_; }
  void set_retention(Retention retention) noexcept { retention_ = retention; }

  // What announce() and change() tell.
  Changes& changes() noexcept { return changes_; }

  // A place in the walk over all jobs that stays good while jobs come and go, across suspensions too.
  class Cursor;

 private:
  friend class JobRef;
  friend struct Job;
  using EndedList = corun::IntrusiveList<Job, QueueLink>;
  static constexpr std::size_t slab_jobs = 64;
  static constexpr std::size_t spares_kept = 1024;

  Job& allocate();
  Job& place(Job& job, const Ulid& id, std::int64_t submitted_us);
  void recycle(Job& job) noexcept;
  void keep(Job& job);
  void trim();
  Job* shelvable() noexcept;
  void shelve(Job& job) noexcept;
  void drop(Job& job);
  void prefetch_drops() const noexcept;
  std::int64_t age_us() const noexcept;
  void insert(Job& job);
  void erase(Job& job) noexcept;
  void grow();
  Job*& bucket(const Ulid& id) const noexcept { return buckets_[id.hash() & (buckets_.size() - 1)]; }

  Retention retention_;
  UlidSource ids_;
  Spares<Record> records_{spares_kept};
  Spares<Running> runnings_{spares_kept};
  std::deque<std::unique_ptr<Job[]>> slabs_;
  std::vector<Job*> free_;
  mutable std::vector<Job*> buckets_;  // a power of two of them; chained through the jobs
  std::size_t size_ = 0;
  AllLink all_;  // the root of the ring
  // Ended jobs, each list in the order of their ends: without a row in the store; with one, and with their body in memory; shelved.
  EndedList volatile_ended_;
  EndedList stored_;
  EndedList shelved_;
  std::size_t volatile_count_ = 0;
  std::size_t stored_count_ = 0;  // shelved ones too
  std::size_t ended_bytes_ = 0;
  std::vector<Dropped> dropped_;
  Counts counts_{};
  Changes changes_;
};

// Stands in the walk itself, between two jobs. Lifetime: not beyond the table.
class Table::Cursor {
 public:
  enum class Direction : std::uint8_t { oldest_first, newest_first };
  Cursor(Table& table, Direction direction) noexcept;
  ~Cursor() { mark_.unlink(); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // The next job; null at the end. Jobs added meanwhile are met by a walk from the oldest.
  Job* next() noexcept;

 private:
  Table& table_;
  Direction direction_;
  AllLink mark_;
};

}  // namespace corund::job
