// SPDX-License-Identifier: MIT
#include "daemon/run/ledger.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/run/left_processes.hpp"
#include "daemon/run/rows.hpp"

namespace corund::run {
store::Ticket Ledger::accept(job::Job& job, bool begins) {
  job.seq = store_->next_seq();
  const std::string options = options_text(job.spec);
  store::JobRow row = job_row(job, options);
  if (begins) row.started_us = job.attempt_started_us = now_us();
  return store_->add(row);
}

corun::Coro<> Ledger::begun(job::JobRef job) {
  store::AttemptRow row;
  row.seq = job->seq;
  row.number = job->attempt;
  row.started_us = job->attempt_started_us;
  co_await store_->written_at_last(store_->attempt(row));
}

store::Ticket Ledger::write_retry(job::Job& job) {
  const std::string usage = usage_text(job.record().usage, job.spec.kind->build_id);
  return store_->attempt(attempt_row(job, usage, job.eligible_us));
}

void Ledger::not_begun(const job::Job& job) {
  store::AttemptRow row;
  row.seq = job.seq;
  row.number = never_begun;
  row.started_us = job.attempt_started_us;
  row.ended_us = now_us();
  row.state = job::name(job::State::queued);
  store_->attempt(row);
}

corun::Coro<> Ledger::retried(job::JobRef job) { co_await store_->written(write_retry(*job)); }

void Ledger::retried_now(job::Job& job) { (void)write_retry(job); }

store::Ticket Ledger::write_end(job::Job& job) {
  // One that waited for its next attempt has told how the one before ended.
  const std::vector<job::Attempt>& past = job.peek().past;
  if (job.attempt > 0 && (past.empty() || past.back().number != job.attempt)) {
    const std::string usage = usage_text(job.record().usage, job.spec.kind->build_id);
    store_->attempt(attempt_row(job, usage, std::nullopt));
  }
  const std::string leftovers = names_text(job.record().leftovers);
  return store_->end(outcome_row(job, now_us(), leftovers));
}

corun::Coro<> Ledger::ended(job::JobRef job) {
  const store::Ticket ticket = write_end(*job);
  job->is_end_stored = co_await store_->written(ticket);
  if (!job->is_end_stored) (void)corun::create_task(end_stored_later(job, ticket), {.name = "end of a job, later"});
}

corun::Coro<> Ledger::end_stored_later(job::JobRef job, store::Ticket ticket) {
  try {
    co_await store_->written_at_last(ticket);
    job->is_end_stored = true;
  } catch (const store::StoreError&) {
    // Closed before the disk took it.
  }
}

void Ledger::ended_now(job::Job& job) { (void)write_end(job); }

void Ledger::spawned(const job::Job& job, pid_t pid) {
  if (!store_ || !job.is_durable()) return;
  store_->process({job.seq, pid, process_start_ticks(pid)});
}

void Ledger::forget(const std::vector<job::Dropped>& dropped) {
  for (const job::Dropped& job : dropped)
    if (store_ && job.seq) last_forget_ = store_->forget(job.seq);
}

corun::Coro<> Ledger::forgotten() {
  if (store_ && last_forget_) co_await store_->written(last_forget_);
}

void Ledger::set_group(std::string_view name, std::optional<std::int64_t> limit, bool is_paused) {
  if (store_) last_group_ = store_->set_group({name, limit, is_paused});
}

corun::Coro<bool> Ledger::groups_kept() {
  if (!store_ || !last_group_) co_return true;
  co_return co_await store_->written(last_group_);
}

corun::Coro<std::shared_ptr<const Body>> Ledger::body_of(job::JobRef job) {
  if (!job->is_shelved()) co_return nullptr;
  auto body = std::make_shared<Body>();
  store::Recovery into;
  into.job = [&](const store::JobRow& row) { body->args.assign(row.args); };
  bool has_next = false;  // the latest attempt in the rows was followed by a wait for another
  into.attempt = [&](const store::AttemptRow& row) {
    if (row.number == never_begun) return;
    body->record.past.push_back(read_attempt(row));
    has_next = row.next_us.has_value();
  };
  into.outcome = [&](const store::OutcomeRow& row) { read_outcome(row, body->record); };
  const bool is_there = co_await store_->read(job->seq, into);
  if (!is_there) throw store::StoreError(store::Trouble::io, "the record of job " + job->id.to_string() + " is gone");
  // The latest attempt is told by the job itself, and what was measured of it by its record.
  if (!body->record.past.empty() && body->record.past.back().number == job->attempt && !has_next) {
    body->record.usage = body->record.past.back().usage;
    body->record.past.pop_back();
  }
  co_return body;
}

std::optional<store::StoreStats> Ledger::stats() const {
  if (!store_) return std::nullopt;
  return store_->stats();
}

}  // namespace corund::run
