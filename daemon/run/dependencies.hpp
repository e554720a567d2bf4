// SPDX-License-Identifier: MIT
// Which jobs wait for which: `after`. A job is held until all of them have succeeded; one that ends otherwise takes those that wait for
// it along.
#pragma once

#include <cstddef>
#include <map>
#include <unordered_map>
#include <vector>

#include "daemon/job/job.hpp"

namespace corund::run {

class Dependencies {
 public:
  struct Freed {
    std::vector<job::JobRef> ready;   // nothing is left to wait for
    std::vector<job::JobRef> failed;  // what they waited for ended otherwise
  };

  // Has the job wait for those of `after` that are not over; the caller has looked at the others. How many those are.
  std::size_t add(job::Job& job, const std::vector<job::Job*>& unfinished);
  // The job leaves for another reason.
  void remove(const job::Job& job) noexcept;
  // `job` is over: who is freed by that.
  Freed ended(const job::Job& job);
  // The first one that a job waits for; empty: none.
  job::Ulid waits_for(const job::Job& job) const noexcept;
  bool empty() const noexcept { return unmet_.empty(); }

 private:
  struct Hash {
    std::size_t operator()(const job::Ulid& id) const noexcept { return id.hash(); }
  };
  std::unordered_map<job::Ulid, std::map<job::Ulid, job::JobRef>, Hash> waiting_;  // by what they wait for, in their order
  std::unordered_map<job::Ulid, std::vector<job::Ulid>, Hash> unmet_;              // by who waits
};

}  // namespace corund::run
