// SPDX-License-Identifier: MIT
// What is on disk of each durable job, at every moment of its life: run/ says here what happened, and awaits it where something depends on
// it. Without a store all of it does nothing, and no job is durable. When which is written is here, how in store/.
#pragma once

#include <corun/corun.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/job/table.hpp"
#include "daemon/store/store.hpp"

namespace corund::run {

// What is not in memory of a shelved job.
struct Body {
  JsonText args;
  job::Record record;
};

class Ledger {
 public:
  explicit Ledger(store::Store* store) noexcept : store_(store) {}

  bool keeps() const noexcept { return store_ != nullptr; }

  // Gives the job its row. begins: its first attempt begins as soon as this is on disk, one commit for both. Whether the disk took it is
  // told by settled(), in the order of the tickets.
  store::Ticket accept(job::Job& job, bool begins);
  corun::Coro<store::Settled> settled() { return store_->settled(); }

  // An attempt begins: returns when that is on disk, so that no job's code runs twice unknown to the next daemon.
  corun::Coro<> begun(job::JobRef job);
  // What was accepted with its beginning has not begun after all: the next daemon will not think that it ran.
  void not_begun(const job::Job& job);
  // An attempt is over and another one is due at the job's eligible_us.
  corun::Coro<> retried(job::JobRef job);
  // The same without waiting, for a job that a former daemon left.
  void retried_now(job::Job& job);
  // The job's outcome is known. Returns when it is on disk, or when the disk refuses at present: then it follows later, and a crash before that
  // finds the job still running.
  corun::Coro<> ended(job::JobRef job);
  // The same without waiting, for a job that the daemon's stop leaves behind.
  void ended_now(job::Job& job);
  // A command was started for the job.
  void spawned(const job::Job& job, pid_t pid);
  // Jobs whose records are no longer kept.
  void forget(const std::vector<job::Dropped>& dropped);
  // Returns when all that was forgotten so far is gone from the disk, or the disk refuses at present.
  corun::Coro<> forgotten();
  void set_group(std::string_view name, std::optional<std::int64_t> limit, bool is_paused);
  // Returns when all groups are on disk as set so far. False: the disk refuses at present, and they follow later.
  corun::Coro<bool> groups_kept();

  // What is not in memory of a job; null where all of it is. Errors: store::StoreError.
  corun::Coro<std::shared_ptr<const Body>> body_of(job::JobRef job);

  std::optional<store::StoreStats> stats() const;

 private:
  store::Ticket write_retry(job::Job& job);
  store::Ticket write_end(job::Job& job);
  corun::Coro<> end_stored_later(job::JobRef job, store::Ticket ticket);

  store::Store* store_;
  store::Ticket last_forget_ = 0;
  store::Ticket last_group_ = 0;
};

}  // namespace corund::run
