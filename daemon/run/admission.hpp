// SPDX-License-Identifier: MIT
// Which job runs when: takes submissions or refuses them by name, and holds a job until the disk has it, its kind is there, the jobs that it
// comes after have succeeded, its time has come and its group has room; starts it then, and again where its policy says so. How a job
// runs is the supervisor's, what is on disk of it the ledger's.
#pragma once

#include <cstddef>
#include <corun/base/result.hpp>
#include <deque>
#include <span>
#include <string_view>
#include <unordered_map>

#include "config/config.hpp"
#include "daemon/job/table.hpp"
#include "daemon/run/children.hpp"
#include "daemon/run/contexts.hpp"
#include "daemon/run/dependencies.hpp"
#include "daemon/run/groups.hpp"
#include "daemon/run/keys.hpp"
#include "daemon/run/ledger.hpp"
#include "daemon/run/rate.hpp"
#include "daemon/run/schedule.hpp"
#include "daemon/run/supervisor.hpp"

namespace corund::run {

// Why a submission is not taken. limit: the configuration's key of the limit that was reached, and its value. no_such_job: `after` names
// one that is not known.
struct Refusal {
  // after_memory: it would be durable, and comes after one that a crash forgets, so that the next daemon could not tell whether that succeeded.
  enum class Why : std::uint8_t { draining, queue_full, limit_reached, no_such_job, after_memory };
  Why why = Why::draining;
  std::string_view limit = {};
  std::size_t value = 0;
  double retry_after = 0;  // seconds after which it may be worth another try; queue_full only
  job::Ulid job = {};
  std::size_t index = 0;  // of the refused job, among those that came together; after_memory only
};

class Admission final : public ChildGate {
 public:
  Admission(job::Table& table, Groups& groups, Contexts& contexts, Supervisor& supervisor, Journal& journal, Ledger& ledger,
            const config::LimitsConfig& limits);

  // A new job with an empty spec for the caller to fill in, and then to admit() or, where that came to nothing, to discard(); all in one step of
  // the loop. Errors: draining, queue_full (in all).
  corun::Result<job::Job*, Refusal> open(std::int64_t now_us);
  // Takes the job; its kind must be set. One that is to be durable is on its way to the disk then: see acknowledged().
  // Errors: limits, no_such_job; the job is discarded then.
  corun::Result<job::JobRef, Refusal> admit(job::Job& job);
  // All of them or none, with one commit. Errors: as above; all are discarded then.
  corun::Result<std::vector<job::JobRef>, Refusal> admit_all(std::span<job::Job* const> jobs);
  void discard(job::Job& job) { table_.discard(job); }
  // Returns when the job is as safe as its spec asked for. Errors: store::StoreError where the disk did not take it; there is no such job then.
  corun::Coro<> acknowledged(job::JobRef job);
  // Why the disk did not take the latest submission that it refused; empty: it has refused none.
  std::string_view refused_because() const noexcept { return refused_ ? refused_->what() : std::string_view(); }
  // The job that a uid's key stands for; null where it is new.
  job::Job* by_key(uid_t owner, const std::string& key) const { return keys_.find(table_, owner, key); }

  // Enters durable submissions when the disk has them; the daemon's own task, for as long as there is a store.
  corun::Coro<> enter_settled();
  // A job that a former daemon left and that is not over, as it stood: it waits or runs, as if it had just been submitted.
  void restore(job::Job& job);
  // A job that a former daemon left, and whose end this one has found: only its key still counts.
  void restore_ended(const job::Job& job) { keys_.add(job); }
  // A job that a former daemon left, and that is over by that: its outcome is in its record.
  void end_restored(job::Job& job);

  // What an administrator had set before the restart.
  void restore_group(const store::GroupRow& row);

  // Cancels a job that waits, resp. asks one that runs; returns at once. False: it had ended.
  bool cancel(job::Job& job, std::string_view reason, bool force = false);
  // Drops the record of a job that is over, on disk too (Ledger::forgotten says when).
  void remove(job::Job& job);
  // Drops records that are too old, some at a time, and what was kept by those dropped so far. Happens by itself too.
  void expire(std::int64_t now_us);
  // Other rules of what is kept: of age from now on, of number from the next end on.
  void set_retention(const job::Retention& retention);

  // A pause stops starting, not accepting. Kept over restarts. False: there is no such group. Of all groups: where name is empty.
  bool set_paused(std::string_view name, bool paused);
  // Kept over restarts. Without a limit: the configured one again. False: there are too many groups already.
  bool set_limit(std::string_view name, std::optional<std::size_t> limit);

  // The configured limits, for all groups whose limit no administrator has set; a group that is not configured gets that of `default`.
  void regroup(const std::map<std::string, config::GroupConfig>& configured);

  // From now on nothing new is taken, and no durable job is started: the next daemon runs those. Once is for ever.
  void close();
  bool is_draining() const noexcept { return is_draining_; }
  // Whether nothing becomes of the job in this process: it is on disk, waits, and the next daemon will run it. Those who wait for it are notified by close().
  bool is_left_to_next(const job::Job& job) const noexcept {
    return is_draining_ && job.is_durable() && job.wait != job::Wait::disk && !job.running && !job.is_settled();
  }
  // Cancels all jobs that wait and would be lost.
  void cancel_waiting(std::string_view reason);

  // Jobs accepted and neither running nor over.
  std::size_t waiting() const noexcept { return waiting_; }
  // Those of them that this process must still run.
  std::size_t waiting_here() const noexcept { return is_draining_ ? volatile_waiting_ : waiting_; }
  const Groups& groups() const noexcept { return groups_; }
  // For the supervisor. Children that wait count as jobs that wait.
  corun::Coro<> enter_child(job::JobRef parent, job::JobRef child) override;
  void leave_child(const job::Job& child) override;
  void abandon_child(const job::Job& child) override;

  // What a held job waits for; empty: no job.
  job::Ulid waits_for(const job::Job& job) const noexcept { return dependencies_.waits_for(job); }

 private:
  struct Pending {
    store::Ticket ticket;
    job::JobRef job;
    Group* slot;  // it has a place in this group already; null: it has none
  };

  std::optional<Refusal> check(std::span<job::Job* const> jobs);
  void take(job::Job& job);
  std::optional<job::Ulid> failed_dependency(const job::Job& job) const;
  void enter(job::Job& job);
  void enter_eligible(job::Job& job);
  void make_ready(job::Job& job);
  void hold(job::Job& job, job::State state, job::Wait wait);
  void stop_waiting(job::Job& job) noexcept;
  void count_in(const job::Job& job);
  void count_out(const job::Job& job) noexcept;
  void settle(const store::Settled& settled);
  void refuse(Pending& pending);

  void run(job::Job& job, Group& group, bool eagerly, bool is_begun = false);
  corun::Coro<> life(job::JobRef job, Group& group, bool is_begun);
  corun::Coro<> begin(job::JobRef job);
  bool wants_another(const job::Job& job) const noexcept;
  corun::Coro<> prepare_another(job::JobRef job);
  void start_waiting(Group& group);
  void fill_freed();
  void end_waiting(job::Job& job, job::State state, std::string_view reason);
  void fail_dependent(job::Job& job, const job::Ulid& other, const std::string& how);
  corun::Coro<> write_end(job::JobRef job);
  void conclude_waiting(job::Job& job);
  void tell_dependents(job::Job& job);
  void free_dependents(const job::Job& job);
  void cancel_stranded();
  void sweep();
  void watch_age();

  job::Table& table_;
  Groups& groups_;
  Contexts& contexts_;
  Supervisor& supervisor_;
  Journal& journal_;
  Ledger& ledger_;
  const config::LimitsConfig& limits_;
  Schedule schedule_;
  Dependencies dependencies_;
  Keys keys_;
  Children children_;
  Rate ends_;
  std::deque<Pending> pending_;  // in the order of their tickets
  std::size_t pending_dependents_ = 0;  // of them, those that come after others
  std::optional<store::StoreError> refused_;  // the latest reason
  std::deque<job::JobRef> to_tell_;           // jobs that ended, whose dependents are still to be told
  bool is_telling_ = false;
  std::size_t waiting_ = 0;
  std::size_t volatile_waiting_ = 0;  // those that are in memory only
  std::unordered_map<uid_t, std::size_t> waiting_of_uid_;
  std::optional<corun::TimerHandle> age_timer_;  // for records that become too old
  bool is_draining_ = false;
};

}  // namespace corund::run
