// SPDX-License-Identifier: MIT
#include "daemon/job/job.hpp"

#include "daemon/job/table.hpp"

namespace corund::job {

void Job::become(State next) noexcept {
  CORUN_ASSERT(may_follow(state, next));
  state = next;
}

EventLog& Record::event_log() {
  if (!events) events = std::make_unique<EventLog>();
  return *events;
}

std::size_t Record::bytes() const noexcept {
  std::size_t sum = sizeof(Record) + outcome.result.view().size() + outcome.error_message.size() + stdout_tail.size() +
                    stderr_tail.size();
  for (const auto& attempt : past) sum += sizeof(Attempt) + attempt.error_message.size();
  if (events) sum += events->bytes();
  return sum;
}

// The strings keep their memory for the next job; what few jobs have is given back.
void Record::reset() noexcept {
  outcome.reset();
  past.clear();
  progress.reset();
  events.reset();
  caller_next.reset();
  leftovers.clear();
  usage = Usage();
  stdout_tail = std::string();
  stderr_tail = std::string();
}

Record& Job::record() {
  if (!record_) record_ = table_ ? table_->records_.take() : std::make_unique<Record>();
  return *record_;
}

const Record& Job::record() const noexcept {
  static const Record none;
  return record_ ? *record_ : none;
}

Running& Job::make_running() {
  running = table_->runnings_.take();
  return *running;
}

std::size_t Job::bytes() const noexcept {
  return sizeof(Job) + spec.args.view().size() + spec.extras().bytes() + (record_ ? record_->bytes() : 0);
}

void Job::reset() noexcept {
  state = State::queued;
  wait = Wait::none;
  spec.reset();
  submitted_us = eligible_us = started_us = attempt_started_us = ended_us = 0;
  seq = 0;
  attempt = 0;
  watchers = 0;
  parent = Ulid();
  cancellation.reset();
  dropped_ = is_shelved_ = is_end_stored = false;
  kept_bytes_ = 0;
}

void JobRef::release() noexcept {
  Job* job = std::exchange(job_, nullptr);
  if (job && --job->pins_ == 0 && job->dropped_) job->table_->recycle(*job);
}

corun::Coro<> ended(JobRef job) {
  while (!job->is_settled()) co_await job->changed.wait();
}

}  // namespace corund::job
