// SPDX-License-Identifier: MIT
// Jobs that are not yet eligible, by their time: one timer for all of them. An entry outlives a job that left for another reason
// and is passed over when its time comes.
#pragma once

#include <corun/corun.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "daemon/job/table.hpp"

namespace corund::run {

class Schedule {
 public:
  // due: called in the loop for each job whose time has come and that is still delayed.
  Schedule(job::Table& table, std::function<void(job::Job&)> due) : table_(table), due_(std::move(due)) {}
  ~Schedule() { stop(); }
  Schedule(const Schedule&) = delete;
  Schedule& operator=(const Schedule&) = delete;

  // The job is in state delayed; at eligible_us it is due.
  void add(const job::Job& job);
  // Nothing is due any more.
  void stop() noexcept;

 private:
  struct Entry {
    std::int64_t at_us;
    job::Ulid id;
    // Among those of one time, who came first.
    bool operator>(const Entry& other) const noexcept { return at_us != other.at_us ? at_us > other.at_us : id > other.id; }
  };

  bool is_awaited(const Entry& entry) const noexcept;
  void forget_left();
  void arm();
  void run_due();

  job::Table& table_;
  std::function<void(job::Job&)> due_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> entries_;
  std::optional<corun::TimerHandle> timer_;
  std::int64_t armed_for_us_ = 0;
};

}  // namespace corund::run
