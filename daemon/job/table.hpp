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
#include <vector>

#include "daemon/job/job.hpp"

namespace corund::job {

// How many records of ended jobs are kept. bytes bounds what their arguments, results and output take together.
struct Retention {
  std::size_t records = 10'000;
  std::chrono::nanoseconds age = std::chrono::hours(168);
  std::size_t bytes = std::size_t{64} << 20;
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

  // Null where there is none, or its record is no longer kept.
  Job* find(const Ulid& id) const noexcept;
  Job* find(std::string_view id) const noexcept;

  // The one way to change a job's state: counts follow. A job that is over is kept as long as the retention says.
  void change(Job& job, State next, std::int64_t now_us);
  // Takes back an add() that came to nothing.
  void discard(Job& job);
  // Drops records that have become too old; change() drops those that are too many.
  void expire(std::int64_t now_us);

  // Jobs in states that are not over: how many now. The others: how many since the table was made.
  const Counts& counts() const noexcept { return counts_; }
  std::size_t size() const noexcept { return size_; }
  const Retention& retention() const noexcept { return retention_; }
  void set_retention(Retention retention) noexcept { retention_ = retention; }

  // A place in the walk over all jobs that stays good while jobs come and go, across suspensions too.
  class Cursor;

 private:
  friend class JobRef;
  static constexpr std::size_t slab_jobs = 64;

  Job& allocate();
  void recycle(Job& job) noexcept;
  void drop(Job& job) noexcept;
  void prefetch_drops() const noexcept;
  void insert(Job& job);
  void erase(Job& job) noexcept;
  void grow();
  Job*& bucket(const Ulid& id) const noexcept { return buckets_[id.hash() & (buckets_.size() - 1)]; }

  Retention retention_;
  UlidSource ids_;
  std::deque<std::unique_ptr<Job[]>> slabs_;
  std::vector<Job*> free_;
  mutable std::vector<Job*> buckets_;  // a power of two of them; chained through the jobs
  std::size_t size_ = 0;
  AllLink all_;  // the root of the ring
  corun::IntrusiveList<Job, QueueLink> ended_;  // in the order of their ends
  std::size_t ended_records_ = 0;
  std::size_t ended_bytes_ = 0;
  Counts counts_{};
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
