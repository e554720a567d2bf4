// SPDX-License-Identifier: MIT
// Which job runs when: takes submissions or refuses them by name, queues what its group has no room for, and starts the next one when one has
// ended. How a job runs is the supervisor's.
#pragma once

#include <cstddef>
#include <corun/base/result.hpp>
#include <string_view>
#include <unordered_map>

#include "config/config.hpp"
#include "daemon/job/table.hpp"
#include "daemon/run/contexts.hpp"
#include "daemon/run/groups.hpp"
#include "daemon/run/supervisor.hpp"

namespace corund::run {

// Why a submission is not taken. limit: the configuration's key of the limit that was reached, and its value.
struct Refusal {
  enum class Why : std::uint8_t { draining, queue_full, limit_reached };
  Why why = Why::draining;
  std::string_view limit = {};
  std::size_t value = 0;
  double retry_after = 0;  // seconds after which it may be worth another try; queue_full only
};

class Admission {
 public:
  Admission(job::Table& table, Groups& groups, Contexts& contexts, Supervisor& supervisor, Journal& journal,
            const config::LimitsConfig& limits);

  // A new job with an empty spec for the caller to fill in, and then to admit() or, where that came to nothing, to discard(); all in one step of
  // the loop. Errors: draining, queue_full (in all).
  corun::Result<job::Job*, Refusal> open(std::int64_t now_us);
  // Takes the job: it runs, or it is queued. The kind must be set. Errors: the limits of its owner; the job is discarded then.
  corun::Result<job::JobRef, Refusal> admit(job::Job& job);
  void discard(job::Job& job) { table_.discard(job); }

  // Cancels a job that waits, resp. asks one that runs; returns at once. False: it had ended.
  bool cancel(job::Job& job, std::string_view reason, bool force = false);
  // From now on nothing new is taken. Once is for ever.
  void close() noexcept { is_draining_ = true; }
  bool is_draining() const noexcept { return is_draining_; }
  // Cancels all jobs that wait.
  void cancel_queued(std::string_view reason);

  std::size_t queued() const noexcept { return queued_; }
  const Groups& groups() const noexcept { return groups_; }

 private:
  corun::Coro<> life(job::JobRef job, Group& group);
  void run(job::Job& job, Group& group, bool eagerly);
  void start_waiting(Group& group);
  void unqueue(job::Job& job);

  job::Table& table_;
  Groups& groups_;
  Contexts& contexts_;
  Supervisor& supervisor_;
  Journal& journal_;
  const config::LimitsConfig& limits_;
  std::size_t queued_ = 0;
  std::unordered_map<uid_t, std::size_t> queued_of_uid_;
  bool is_draining_ = false;
};

}  // namespace corund::run
