// SPDX-License-Identifier: MIT
#include "daemon/run/recovery.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/run/left_processes.hpp"
#include "daemon/run/rows.hpp"

namespace corund::run {

void Recovery::read(store::Store& store) {
  store::Recovery into;
  into.group = [this](const store::GroupRow& row) { admission_.restore_group(row); };
  into.job = [this](const store::JobRow& row) { begin(row); };
  into.attempt = [this](const store::AttemptRow& row) { add(row); };
  into.process = [this](const store::ProcessRow& row) {
    if (current_ && is_current_running_) processes_.push_back({job::JobRef(*current_), row});
  };
  into.outcome = [this](const store::OutcomeRow& row) {
    table_.restore_end(*current_, job::parse_state(row.state).value_or(job::State::lost), row.ended_us);
    admission_.restore_ended(*current_);
    current_ = nullptr;
  };
  store.recover(into);
  finish();
}

void Recovery::begin(const store::JobRow& row) {
  finish();
  auto id = job::Ulid::parse(row.id);
  if (!id) throw store::StoreError(store::Trouble::damaged, "job " + std::to_string(row.seq) + " has no id, but '" + std::string(row.id) + "'");
  job::Job& job = table_.adopt(*id, row.submitted_us);
  try {
    read_job(row, job);
  } catch (const std::exception& e) {
    throw store::StoreError(store::Trouble::damaged, "job " + std::string(row.id) + " cannot be read: " + e.what());
  }
  const job::Kind* kind = registry_.find(row.kind);
  job.spec.kind = kind ? kind : &registry_.missing(row.kind);
  current_ = &job;
  is_current_running_ = row.started_us.has_value();
  if (!row.started_us) return;
  job.attempt = 1;
  job.started_us = job.attempt_started_us = *row.started_us;
}

void Recovery::add(const store::AttemptRow& row) {
  job::Job& job = *current_;
  if (row.number == never_begun) {
    is_current_running_ = false;
    job.attempt = 0;
    job.started_us = job.attempt_started_us = 0;
    return;
  }
  job.attempt = row.number;
  job.attempt_started_us = row.started_us;
  if (job.started_us == 0) job.started_us = row.started_us;
  is_current_running_ = !row.ended_us;
  if (!row.ended_us) return;
  job.record().past.push_back(read_attempt(row));
  if (row.next_us) job.eligible_us = *row.next_us;
}

void Recovery::finish() {
  if (!current_) return;
  left_.push_back({job::JobRef(*current_), is_current_running_});
  current_ = nullptr;
}

void Recovery::resume() {
  for (const Process& process : processes_) end_left_process(process.row.pid, process.row.start_ticks, process.job->id_view());
  processes_.clear();
  std::set<std::string, std::less<>> commands;  // a record may have been too late for the disk
  for (const Left& left : left_)
    if (left.was_running) commands.emplace(left.job->id_view());
  end_left_processes(commands);
  for (Left& left : left_) take_over(*left.job, left.was_running);
  left_.clear();
  admission_.expire(now_us());
}

void Recovery::take_over(job::Job& job, bool was_running) {
  const auto& retry = job.spec.extras().retry;
  if (job.spec.attached) return lose(job, was_running ? job::State::lost : job::State::cancelled, "its caller and the daemon are gone");
  if (!was_running) {
    ++waiting_;
    return admission_.restore(job);
  }
  constexpr std::string_view why = "the daemon died while it ran";
  if (!retry || job.attempt >= retry->max) return lose(job, job::State::lost, why);
  job::Record& record = job.record();
  record.outcome.state = job::State::lost;
  record.outcome.error_type = "Lost";
  record.outcome.error_message = why;
  job.eligible_us = now_us() + std::chrono::ceil<std::chrono::microseconds>(retry->delay_after(job.attempt)).count();
  ledger_.retried_now(job);
  record.past.push_back({job.attempt, job.attempt_started_us, now_us(), job::State::lost, "Lost", std::string(why), {}});
  record.outcome.reset();
  job::Event event;
  event.type = job::EventType::retry;
  event.timestamp_us = now_us();
  record.event_log().add(std::move(event));
  journal_.retried(job);
  ++waiting_;
  admission_.restore(job);
}

// The jobs themselves stay as they are: their tasks are destroyed with the loop.
void Recovery::leave_running() {
  if (!ledger_.keeps()) return;
  constexpr std::string_view why = "it was cancelled by the daemon's stop and did not end";
  using Cursor = job::Table::Cursor;
  Cursor cursor(table_, Cursor::Direction::oldest_first);
  while (job::Job* job = cursor.next()) {
    if (!job->is_durable() || !job->running || !job->running->main || job->running->settled) continue;
    const auto& retry = job->spec.extras().retry;
    const bool has_next = retry && job->attempt < retry->max && !job->running->stop_asked;
    job::Outcome& outcome = job->record().outcome;
    outcome.reset();
    outcome.state = job::State::lost;
    outcome.error_type = "Lost";
    outcome.error_message = why;
    if (has_next) {
      job->eligible_us = now_us() + std::chrono::ceil<std::chrono::microseconds>(retry->delay_after(job->attempt)).count();
      ledger_.retried_now(*job);
    } else {
      ledger_.ended_now(*job);
    }
    journal_.left_at_stop(*job, why, has_next);
  }
}

void Recovery::lose(job::Job& job, job::State state, std::string_view why) {
  job::Outcome& outcome = job.record().outcome;
  outcome.state = state;
  if (state == job::State::lost) {
    ++lost_;
    table_.change(job, job::State::running, job.attempt_started_us);  // which it was
    outcome.error_type = "Lost";
    outcome.error_message = why;
  } else {
    outcome.reason = why;
  }
  admission_.end_restored(job);
}

}  // namespace corund::run
