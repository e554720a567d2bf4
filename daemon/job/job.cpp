// SPDX-License-Identifier: MIT
#include "daemon/job/job.hpp"

#include "daemon/job/table.hpp"

namespace corund::job {

void Job::become(State next) noexcept {
  CORUN_ASSERT(may_follow(state, next));
  state = next;
}

EventLog& Job::event_log() {
  if (!events) events = std::make_unique<EventLog>();
  return *events;
}

std::size_t Job::bytes() const noexcept {
  std::size_t sum = sizeof(Job) + spec.args.view().size() + outcome.result.view().size() + outcome.error_message.size() +
                    stdout_tail.size() + stderr_tail.size();
  if (events) sum += events->bytes();
  for (const auto& [name, value] : spec.labels) sum += name.size() + value.size();
  return sum;
}

// The strings keep their memory for the next job; what few jobs have is given back.
void Job::reset() noexcept {
  state = State::queued;
  spec.reset();
  submitted_us = started_us = ended_us = 0;
  attempt = 0;
  parent.reset();
  outcome.reset();
  progress.reset();
  events.reset();
  leftovers.clear();
  usage = Usage();
  stdout_tail = std::string();
  stderr_tail = std::string();
  running.reset();
  cancellation.reset();
  watchers = 0;
  dropped_ = false;
  kept_bytes_ = 0;
}

void JobRef::release() noexcept {
  Job* job = std::exchange(job_, nullptr);
  if (job && --job->pins_ == 0 && job->dropped_) job->table_->recycle(*job);
}

corun::Coro<> ended(JobRef job) {
  while (!job->is_over()) co_await job->changed.wait();
}

}  // namespace corund::job
