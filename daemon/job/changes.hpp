// SPDX-License-Identifier: MIT
// Changes of jobs' states, for those who want to hear of all of them. The latest ones in one ring that every reader reads at its own pace; one
// that is too slow is told so and not waited for. Where nobody reads, nothing is kept.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "daemon/job/signal.hpp"
#include "daemon/job/state.hpp"

namespace corund::job {

struct Job;

struct Change {
  std::string id;
  uid_t owner = 0;
  std::string kind;
  std::string group;
  State state = State::queued;
  std::int64_t timestamp_us = 0;
};

class Changes {
 public:
  class Reader;

  // How far a reader may fall behind; `limits.unread_changes`.
  void set_max(std::size_t max) noexcept { max_ = max; }
  std::size_t max() const noexcept { return max_; }

  // Whether anybody reads. Asked at each change: inline.
  bool is_read() const noexcept { return readers_ > 0; }
  // The job is in this state since then.
  void add(const Job& job, std::int64_t timestamp_us);
  // No more will come: readers are told.
  void close();

 private:
  std::deque<Change> changes_;
  std::uint64_t first_ = 0;  // number of changes_.front()
  std::size_t max_ = 8192;
  std::size_t readers_ = 0;
  bool is_closed_ = false;
  Signal changed_;
};

// Reads the changes from its making on. Lifetime: not beyond the Changes.
class Changes::Reader {
 public:
  explicit Reader(Changes& of) noexcept : of_(&of), next_(of.first_ + of.changes_.size()) { ++of_->readers_; }
  ~Reader();
  Reader(Reader&& other) noexcept : of_(std::exchange(other.of_, nullptr)), next_(other.next_) {}
  Reader& operator=(Reader&&) = delete;

  // The next change; null where there is none yet, where it fell behind, and at the end. Valid until the next add().
  const Change* next();
  // Some that it had not read are gone. It reads no more.
  bool is_behind() const noexcept { return next_ < of_->first_; }
  bool is_closed() const noexcept { return of_->is_closed_; }
  bool has_next() const noexcept { return next_ < of_->first_ + of_->changes_.size(); }
  // Returns when there may be more to read. Cancellation: leaves nothing behind.
  corun::Coro<> wait() { return of_->changed_.wait(); }

 private:
  Changes* of_;
  std::uint64_t next_;
};

}  // namespace corund::job
