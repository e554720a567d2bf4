// SPDX-License-Identifier: MIT
#include "daemon/run/admission.hpp"

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"

namespace corund::run {

Admission::Admission(job::Table& table, Groups& groups, Contexts& contexts, Supervisor& supervisor, Journal& journal,
                     const config::LimitsConfig& limits)
    : table_(table), groups_(groups), contexts_(contexts), supervisor_(supervisor), journal_(journal), limits_(limits) {}

corun::Result<job::Job*, Refusal> Admission::open(std::int64_t now_us) {
  if (is_draining_) return Refusal{Refusal::Why::draining};
  // A job that could start at once is refused too: whether it can is known only when its group is.
  if (queued_ >= limits_.jobs_queued) return Refusal{Refusal::Why::queue_full, "limits.jobs_queued", limits_.jobs_queued, 1.0};
  return &table_.add(now_us);
}

corun::Result<job::JobRef, Refusal> Admission::admit(job::Job& job) {
  if (job.spec.group.empty()) job.spec.group = job.spec.kind->group;
  Group* group = groups_.of(job.spec.group);
  auto refuse = [&](std::string_view limit, std::size_t value) {
    table_.discard(job);
    return Refusal{Refusal::Why::limit_reached, limit, value};
  };
  if (!group) return refuse("groups", Groups::groups_max);
  if (!contexts_.has_room_for(job.spec)) return refuse("limits.contexts_per_uid", contexts_.named_max());
  if (group->has_room() && group->queued() == 0) {
    job::JobRef ref(job);
    journal_.submitted(job);
    // An attached job that can end in its first step does so here, without a pass of the loop.
    run(job, *group, job.spec.attached);
    return ref;
  }
  std::size_t& of_uid = queued_of_uid_[job.spec.owner];
  if (of_uid >= limits_.jobs_queued_per_uid) return refuse("limits.jobs_queued_per_uid", limits_.jobs_queued_per_uid);
  ++of_uid;
  ++queued_;
  group->push(job);
  journal_.submitted(job);
  return job::JobRef(job);
}

void Admission::run(job::Job& job, Group& group, bool eagerly) {
  group.enter();
  supervisor_.start(job, life(job::JobRef(job), group), eagerly);
}

corun::Coro<> Admission::life(job::JobRef job, Group& group) {
  co_await supervisor_.attempt(job);
  group.leave();
  start_waiting(group);
}

void Admission::start_waiting(Group& group) {
  while (group.queued() > 0 && group.has_room()) {
    job::Job& next = *group.pop();
    --queued_;
    --queued_of_uid_[next.spec.owner];
    run(next, group, false);  // this is a job's own last step: no step inside it
  }
}

void Admission::unqueue(job::Job& job) {
  groups_.of(job.spec.group)->remove(job);
  --queued_;
  --queued_of_uid_[job.spec.owner];
}

bool Admission::cancel(job::Job& job, std::string_view reason, bool force) {
  if (job.is_over()) return false;
  if (job.running) {
    supervisor_.request_cancel(job, reason, force);
    return true;
  }
  unqueue(job);
  job::Cancellation& cancellation = job.cancellation.emplace();
  cancellation.reason = reason;
  cancellation.asked = cancellation.ended = corun::get_running_loop().time();
  job.outcome.state = job::State::cancelled;
  job.outcome.reason = reason;
  table_.change(job, job::State::cancelled, now_us());
  journal_.ended(job);
  job.changed.notify();
  supervisor_.ended().notify();
  return true;
}

void Admission::cancel_queued(std::string_view reason) {
  for (const auto& [name, group] : groups_.all())
    while (job::Job* job = group->first()) cancel(*job, reason);
}

}  // namespace corund::run
