// SPDX-License-Identifier: MIT
// From a job that was taken to one that runs, and back where its policy says so. A job stands in one place at a time, and `wait` says in
// which: with the disk, held for its kind or for other jobs, in the schedule, in its group's queue.
#include "daemon/job/kind.hpp"
#include "daemon/run/admission.hpp"
#include "daemon/run/clock.hpp"

namespace corund::run {

void Admission::enter(job::Job& job) {
  if (job.cancellation) {  // asked for while the disk had it
    const std::string reason = job.cancellation->reason;
    return end_waiting(job, job::State::cancelled, reason);
  }
  if (job.attempt > 0) return enter_eligible(job);  // what it comes after has succeeded
  if (const auto failed = failed_dependency(job)) return fail_dependent(job, *failed, "ended " + std::string(job::name(table_.find(*failed)->state)));
  std::vector<job::Job*> unfinished;
  for (const job::Ulid& id : job.spec.extras().after)
    if (job::Job* other = table_.find(id); other && !other->is_over()) unfinished.push_back(other);
  if (dependencies_.add(job, unfinished) > 0) return hold(job, job::State::held, job::Wait::dependency);
  enter_eligible(job);
}

// The first that ended otherwise than it should. One that is not known any more has succeeded: it was known when this job was accepted; had it failed
// since, this one would have been ended by that; and one that is only in memory, which a crash forgets, has no durable one come after it.
std::optional<job::Ulid> Admission::failed_dependency(const job::Job& job) const {
  for (const job::Ulid& id : job.spec.extras().after)
    if (const job::Job* other = table_.find(id); other && other->is_over() && other->state != job::State::succeeded) return id;
  return std::nullopt;
}

// It waits for no other job.
void Admission::enter_eligible(job::Job& job) {
  if (!job.spec.kind->body) return hold(job, job::State::held, job::Wait::kind);
  if (job.eligible_us > now_us()) {
    hold(job, job::State::delayed, job::Wait::time);
    return schedule_.add(job);
  }
  make_ready(job);
}

void Admission::make_ready(job::Job& job) {
  hold(job, job::State::queued, job::Wait::room);
  if (is_draining_ && job.is_durable()) {
    job.wait = job::Wait::stop;
    return job.changed.notify();
  }
  Group& group = groups_.of(job.spec.group);
  if (group.queued() > 0 || !group.has_room()) return group.push(job);
  count_out(job);
  group.enter();
  run(job, group, false);
}

void Admission::hold(job::Job& job, job::State state, job::Wait wait) {
  if (job.state != state) table_.change(job, state, now_us());
  job.wait = wait;
}

void Admission::stop_waiting(job::Job& job) noexcept {
  if (job.wait == job::Wait::room) groups_.find(job.spec.group)->remove(job);
  if (job.wait == job::Wait::dependency) dependencies_.remove(job);
  job.wait = job::Wait::none;
}

// The job has its place in the group.
void Admission::run(job::Job& job, Group& group, bool eagerly, bool is_begun) {
  supervisor_.start(job, life(job::JobRef(job), group, is_begun), eagerly);
}

corun::Coro<> Admission::life(job::JobRef job, Group& group, bool is_begun) {
  if (job->is_durable() && !is_begun) co_await begin(job);
  co_await supervisor_.attempt(job);
  group.leave();
  children_.end(*job);
  start_waiting(group);
  if (wants_another(*job)) {
    co_await prepare_another(job);
    if (!job->running->stop_asked) {
      supervisor_.withdraw(*job, job->eligible_us > now_us() ? job::State::delayed : job::State::queued);
      count_in(*job);
      enter(*job);
      if (is_draining_) cancel_stranded();
      co_return;
    }
  }
  if (job->is_durable()) co_await ledger_.ended(job);
  supervisor_.conclude(*job);
  ends_.count(job->ended_us);
  tell_dependents(*job);
  sweep();
}

// The disk knows before the job runs. A cancellation does not wait for a disk that refuses: the job does not run then.
corun::Coro<> Admission::begin(job::JobRef job) {
  if (job->cancellation) co_return;  // before this task's first step
  job->running->starting = corun::current_task();
  try {
    co_await ledger_.begun(job);
  } catch (const corun::CancelledError&) {
    if (!job->cancellation) throw;  // the loop closes
    job->running->starting->uncancel();
  }
  job->running->starting.reset();
}

bool Admission::wants_another(const job::Job& job) const noexcept {
  const auto& retry = job.spec.extras().retry;
  if (!retry || job.attempt >= retry->max || job.running->stop_asked || (is_draining_ && !job.is_durable())) return false;
  const job::State state = job.record().outcome.state;
  if (state == job::State::failed) return !job.cancellation || job.running->timed_out;
  // One that the stop has cancelled is the next daemon's.
  return state == job::State::timed_out || (state == job::State::cancelled && is_draining_ && job.cancellation && job.cancellation->is_stop);
}

// The attempt joins those before it.
corun::Coro<> Admission::prepare_another(job::JobRef job) {
  job->eligible_us = now_us() + std::chrono::ceil<std::chrono::microseconds>(
                                    job->spec.extras().retry->delay_after(job->attempt)).count();
  if (job->is_durable()) co_await ledger_.retried(job);
  if (job->running->stop_asked) co_return;
  supervisor_.keep_attempt(*job);
}

void Admission::start_waiting(Group& group) {
  if (group.queued() == 0) return;
  children_.let_in(group);
  while (group.has_room()) {
    job::Job* next = group.pop();
    if (!next) return;
    count_out(*next);
    group.enter();
    run(*next, group, false);  // this may be a job's own last step: no step inside it
  }
}

bool Admission::set_paused(std::string_view name, bool paused) {
  if (name.empty()) {
    groups_.set_all_paused(paused);
    ledger_.set_group("", std::nullopt, paused);
    for (const auto& [other, group] : groups_.all()) start_waiting(*group);
    return true;
  }
  Group* group = groups_.find(name);
  if (!group) return false;
  group->set_paused(paused);
  ledger_.set_group(name, group->limit_set(), paused);
  start_waiting(*group);
  return true;
}

bool Admission::set_limit(std::string_view name, std::optional<std::size_t> limit) {
  if (!limit && !groups_.find(name)) return true;  // as it is already
  if (!groups_.has_room_for({name})) return false;
  Group& group = groups_.of(name);
  if (limit)
    group.set_limit(*limit);
  else
    group.reset_limit(groups_.configured_limit(name));
  ledger_.set_group(name, group.limit_set(), group.paused());
  start_waiting(group);
  return true;
}

void Admission::regroup(const std::map<std::string, config::GroupConfig>& configured) {
  groups_.configure(configured);
  for (const auto& [name, group] : groups_.all()) start_waiting(*group);
}

void Admission::restore_group(const store::GroupRow& row) {
  if (row.name.empty()) return groups_.set_all_paused(row.paused);
  if (!row.limit && !row.paused) return;  // what it once was is taken back
  Group& group = groups_.of(row.name);
  if (row.limit) group.set_limit(static_cast<std::size_t>(*row.limit));
  group.set_paused(row.paused);
}

void Admission::close() {
  if (std::exchange(is_draining_, true) || !ledger_.keeps()) return;
  for (const auto& [name, group] : groups_.all())
    group->remove_if([](job::Job& job) {
      if (job.is_durable()) job.wait = job::Wait::stop;
      return job.is_durable();
    });
  // What is on its way to the disk would begin there: it does not, and the next daemon must know.
  for (Pending& pending : pending_)
    if (Group* slot = std::exchange(pending.slot, nullptr)) {
      ledger_.not_begun(*pending.job);
      pending.job->attempt_started_us = 0;
      slot->leave();
      start_waiting(*slot);
    }
  cancel_stranded();
  using Cursor = job::Table::Cursor;
  Cursor cursor(table_, Cursor::Direction::oldest_first);
  while (job::Job* job = cursor.next())
    if (is_left_to_next(*job)) job->changed.notify();
}

// A job in memory that comes after one that only the next daemon will run has nothing to wait for any more.
void Admission::cancel_stranded() {
  if (dependencies_.empty()) return;
  using Cursor = job::Table::Cursor;
  Cursor cursor(table_, Cursor::Direction::oldest_first);
  while (job::Job* job = cursor.next()) {
    if (job->wait != job::Wait::dependency || job->is_durable()) continue;
    const job::Job* other = table_.find(dependencies_.waits_for(*job));
    if (other && other->is_durable() && !other->running && !other->is_over()) cancel(*job, "what it comes after waits for the next daemon");
  }
}

void Admission::cancel_waiting(std::string_view reason) {
  using Cursor = job::Table::Cursor;
  Cursor cursor(table_, Cursor::Direction::oldest_first);
  while (job::Job* job = cursor.next()) {
    if (job->is_over() || job->running || job->is_durable()) continue;
    // A child is its parent's, which has time to finish, where anybody waits for that.
    const job::Job* parent = job->parent.empty() ? nullptr : table_.find(job->parent);
    if (!parent || !parent->running || parent->running->abandoned) cancel(*job, reason);
  }
}

}  // namespace corund::run
