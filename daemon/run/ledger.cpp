// SPDX-License-Identifier: MIT
#include "daemon/run/ledger.hpp"

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
  const std::string usage = usage_text(job.record().usage);
  return store_->attempt(attempt_row(job, usage, job.eligible_us));
}

corun::Coro<> Ledger::retried(job::JobRef job) { co_await store_->written(write_retry(*job)); }

void Ledger::retried_now(job::Job& job) { (void)write_retry(job); }

store::Ticket Ledger::write_end(job::Job& job) {
  if (job.attempt > 0) {
    const std::string usage = usage_text(job.record().usage);
    store_->attempt(attempt_row(job, usage, std::nullopt));
  }
  const std::string leftovers = names_text(job.record().leftovers);
  return store_->end(outcome_row(job, now_us(), leftovers));
}

corun::Coro<> Ledger::ended(job::JobRef job) {
  job->is_end_stored = co_await store_->written(write_end(*job));
}

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
  if (store_) store_->set_group({name, limit, is_paused});
}

corun::Coro<std::shared_ptr<const Body>> Ledger::body_of(job::JobRef job) {
  if (!job->is_shelved()) co_return nullptr;
  auto body = std::make_shared<Body>();
  store::Recovery into;
  into.job = [&](const store::JobRow& row) { body->args.assign(row.args); };
  into.attempt = [&](const store::AttemptRow& row) { body->record.past.push_back(read_attempt(row)); };
  into.outcome = [&](const store::OutcomeRow& row) { read_outcome(row, body->record); };
  co_await store_->read(job->seq, into);
  // The latest attempt is told by the job itself, and what was measured of it by its record.
  if (!body->record.past.empty()) {
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
