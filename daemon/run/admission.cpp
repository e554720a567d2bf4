// SPDX-License-Identifier: MIT
// The gate: what is taken, what is refused, and what becomes of a job that leaves before it runs. A durable job does not wait in any queue
// before the disk has it: a peer that hangs up meanwhile changes nothing, and a disk that refuses has nothing to take back.
#include "daemon/run/admission.hpp"

#include <algorithm>
#include <set>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"

namespace corund::run {

Admission::Admission(job::Table& table, Groups& groups, Contexts& contexts, Supervisor& supervisor, Journal& journal,
                     Ledger& ledger, const config::LimitsConfig& limits)
    : table_(table),
      groups_(groups),
      contexts_(contexts),
      supervisor_(supervisor),
      journal_(journal),
      ledger_(ledger),
      limits_(limits),
      schedule_(table, [this](job::Job& job) { make_ready(job); }) {
  supervisor_.set_gate(*this);
}

corun::Result<job::Job*, Refusal> Admission::open(std::int64_t now_us) {
  if (is_draining_) return Refusal{Refusal::Why::draining};
  // A job that could start at once is refused too: whether it can is known only when its group is.
  if (waiting_ >= limits_.jobs_queued)
    return Refusal{Refusal::Why::queue_full, "limits.jobs_queued", limits_.jobs_queued, ends_.seconds_each(now_us, 0.1, 60)};
  return &table_.add(now_us);
}

corun::Result<job::JobRef, Refusal> Admission::admit(job::Job& job) {
  job::Job* const one[] = {&job};
  if (auto refusal = check(one)) return *refusal;
  job::JobRef ref(job);
  take(job);
  return ref;
}

corun::Result<std::vector<job::JobRef>, Refusal> Admission::admit_all(std::span<job::Job* const> jobs) {
  if (auto refusal = check(jobs)) return *refusal;
  std::vector<job::JobRef> refs;
  for (job::Job* job : jobs) {
    refs.emplace_back(*job);
    take(*job);
  }
  return refs;
}

std::optional<Refusal> Admission::check(std::span<job::Job* const> jobs) {
  auto refuse = [&](Refusal refusal) {
    for (job::Job* job : jobs) table_.discard(*job);
    return refusal;
  };
  std::set<std::string_view> names;   // of contexts, that these jobs will make
  std::set<std::string_view> groups;  // of theirs, where one of them is new
  bool has_new_group = false;
  for (job::Job* const& job : jobs) {
    job::JobSpec& spec = job->spec;
    if (spec.group.empty()) spec.group = spec.kind->group;
    const bool is_new_group = !groups_.find(spec.group);
    if (is_new_group || jobs.size() > 1) groups.insert(spec.group);
    has_new_group |= is_new_group;
    if (jobs.size() > 1 && !contexts_.knows(spec)) names.insert(spec.extras().context_name);
    if (!contexts_.has_room_for(spec, names)) return refuse({Refusal::Why::limit_reached, "limits.contexts_per_uid", contexts_.named_max()});
    const bool is_durable = spec.ack == job::Ack::disk && ledger_.keeps();
    for (const job::Ulid& id : spec.extras().after) {
      const job::Job* other = table_.find(id);
      if (!other || other->spec.owner != spec.owner) return refuse({.why = Refusal::Why::no_such_job, .job = id});
      if (is_durable && !other->is_durable() && other->state != job::State::succeeded)
        return refuse({.why = Refusal::Why::after_memory, .job = id, .index = static_cast<std::size_t>(&job - jobs.data())});
    }
    const bool starts_now = jobs.size() == 1 && spec.delay.count() == 0 && spec.extras().after.empty() && groups_.would_start(spec.group);
    if (starts_now) continue;
    auto of_uid = waiting_of_uid_.find(spec.owner);
    const std::size_t others = of_uid == waiting_of_uid_.end() ? 0 : of_uid->second;
    if (others + jobs.size() > limits_.jobs_queued_per_uid)
      return refuse({Refusal::Why::limit_reached, "limits.jobs_queued_per_uid", limits_.jobs_queued_per_uid});
    if (waiting_ + jobs.size() > limits_.jobs_queued)
      return refuse({Refusal::Why::queue_full, "limits.jobs_queued", limits_.jobs_queued, ends_.seconds_each(now_us(), 0.1, 60)});
  }
  if (has_new_group && !groups_.has_room_for(groups)) return refuse({Refusal::Why::limit_reached, "limits.groups", groups_.max()});
  return std::nullopt;
}

void Admission::take(job::Job& job) {
  job::JobSpec& spec = job.spec;
  if (spec.delay.count() > 0)
    job.eligible_us = job.submitted_us + std::chrono::ceil<std::chrono::microseconds>(spec.delay).count();
  keys_.add(job);
  // One that can start at once has its place in the group from here on.
  Group& group = groups_.of(job.spec.group);
  const bool begins = spec.kind->body && spec.extras().after.empty() && spec.delay.count() == 0 && group.has_room() && group.queued() == 0;
  if (begins) group.enter();
  if (spec.ack != job::Ack::disk || !ledger_.keeps()) {
    spec.ack = job::Ack::memory;
    table_.announce(job);
    journal_.submitted(job);
    // An attached job that can end in its first step does so here, without a pass of the loop.
    if (begins) return run(job, group, spec.attached);
    count_in(job);
    return enter(job);
  }
  count_in(job);
  job.wait = job::Wait::disk;
  const store::Ticket ticket = ledger_.accept(job, begins);
  --volatile_waiting_;  // it has a row from here on
  pending_.push_back({ticket, job::JobRef(job), begins ? &group : nullptr});
  if (spec.extras().after.empty()) return;
  ++pending_dependents_;
  if (const auto failed = failed_dependency(job)) fail_dependent(job, *failed, "ended " + std::string(job::name(table_.find(*failed)->state)));
}

corun::Coro<> Admission::enter_settled() {
  for (;;) settle(co_await ledger_.settled());
}

void Admission::settle(const store::Settled& settled) {
  if (settled.refused) {
    refused_ = settled.refused;
    journal_.store_failing(refused_->what());
  } else {
    journal_.store_works();
  }
  while (!pending_.empty() && pending_.front().ticket <= settled.upto) {
    Pending pending = std::move(pending_.front());
    pending_.pop_front();
    if (!pending.job->spec.extras().after.empty()) --pending_dependents_;
    if (settled.refused) {
      refuse(pending);
      continue;
    }
    job::Job& job = *pending.job;
    table_.announce(job);
    journal_.submitted(job);
    job.wait = job::Wait::none;
    if (pending.slot && !job.cancellation && !is_draining_) {
      count_out(job);
      run(job, *pending.slot, false, true);
    } else {
      if (pending.slot) pending.slot->leave();
      enter(job);
      if (pending.slot) start_waiting(*pending.slot);
    }
    job.changed.notify();
  }
}

void Admission::refuse(Pending& pending) {
  job::Job& job = *pending.job;
  if (pending.slot) pending.slot->leave();
  count_out(job);
  keys_.remove(job.spec.owner, job.spec.extras().key, job.id);
  job.wait = job::Wait::refused;
  table_.discard(job);
  job.changed.notify();
  tell_dependents(job);
  if (pending.slot) start_waiting(*pending.slot);
}

corun::Coro<> Admission::acknowledged(job::JobRef job) {
  while (job->wait == job::Wait::disk && !job->is_over()) co_await job->changed.wait();
  if (job->wait == job::Wait::refused) throw store::StoreError(*refused_);
}

void Admission::restore(job::Job& job) {
  keys_.add(job);
  count_in(job);
  enter(job);
}

void Admission::end_restored(job::Job& job) {
  keys_.add(job);
  job.cancellation = std::make_unique<job::Cancellation>();
  job.wait = job::Wait::disk;
  (void)corun::create_task(write_end(job::JobRef(job)), {.name = "end of a left job"});
}

bool Admission::cancel(job::Job& job, std::string_view reason, bool force) {
  if (job.is_settled()) return false;  // refused ones too: they are no longer in the table
  if (job.running) {
    supervisor_.request_cancel(job, reason, force);
    return true;
  }
  if (!job.cancellation) end_waiting(job, job::State::cancelled, reason);
  return true;
}

// A job that waits ends: it leaves its queue at once, and its end is told when it is on disk.
void Admission::end_waiting(job::Job& job, job::State state, std::string_view reason) {
  job.cancellation = std::make_unique<job::Cancellation>();
  job.cancellation->was_begun = job.attempt > 0;
  job.cancellation->reason = reason;
  job.cancellation->asked = job.cancellation->ended = corun::get_running_loop().time();
  job::Outcome& outcome = job.record().outcome;
  outcome.state = state;
  outcome.reason = reason;
  if (job.wait == job::Wait::disk) return;  // enter() sees to it
  stop_waiting(job);
  count_out(job);
  if (!job.is_durable()) return conclude_waiting(job);
  job.wait = job::Wait::disk;
  (void)corun::create_task(write_end(job::JobRef(job)), {.name = "end of a waiting job"});
}

corun::Coro<> Admission::write_end(job::JobRef job) {
  co_await ledger_.ended(job);
  conclude_waiting(*job);
}

void Admission::conclude_waiting(job::Job& job) {
  const job::JobRef held(job);  // it may be one record too many at once
  job.wait = job::Wait::none;
  table_.change(job, job.record().outcome.state, now_us());
  job.cancellation->ended = corun::get_running_loop().time();
  journal_.ended(job);
  job.changed.notify();
  supervisor_.ended().notify();
  tell_dependents(job);
  sweep();
}

// One after the other and not one within the other: a chain of jobs may be long.
void Admission::tell_dependents(job::Job& job) {
  if (dependencies_.empty() && pending_dependents_ == 0) return;
  to_tell_.emplace_back(job);
  if (std::exchange(is_telling_, true)) return;
  for (; !to_tell_.empty(); to_tell_.pop_front()) free_dependents(*to_tell_.front());
  is_telling_ = false;
}

void Admission::free_dependents(const job::Job& job) {
  Dependencies::Freed freed = dependencies_.ended(job);
  for (job::JobRef& waiter : freed.ready) enter_eligible(*waiter);
  if (job.state == job::State::succeeded) return;
  // Those that are on their way to the disk too: when they come from there, this one's record may be gone.
  if (pending_dependents_ > 0)
    for (const Pending& pending : pending_)
      if (std::ranges::find(pending.job->spec.extras().after, job.id) != pending.job->spec.extras().after.end()) freed.failed.push_back(pending.job);
  const std::string how = job.is_over() ? "ended " + std::string(job::name(job.state)) : "was not accepted";
  for (job::JobRef& waiter : freed.failed)
    if (!waiter->cancellation) fail_dependent(*waiter, job.id, how);
}

// `error` in the record: DependencyFailed and the id of the other, as io.corund.Jobs has it.
void Admission::fail_dependent(job::Job& job, const job::Ulid& other, const std::string& how) {
  job::Outcome& outcome = job.record().outcome;
  outcome.error_type = job::dependency_failed;
  outcome.error_message = other.to_string();
  end_waiting(job, job::State::cancelled, "job " + other.to_string() + ", which it comes after, " + how);
}

void Admission::remove(job::Job& job) {
  table_.remove(job);
  sweep();
}

void Admission::expire(std::int64_t now_us) {
  table_.expire(now_us);
  sweep();
}

// Records grow old by themselves: one timer, for the oldest. Many that are too old at once go in steps, with air between.
void Admission::watch_age() {
  if (age_timer_) return;
  const auto next = table_.next_expiry_us();
  if (!next) return;
  constexpr std::chrono::microseconds air = std::chrono::milliseconds(5);
  age_timer_ = corun::get_running_loop().call_later(std::max(std::chrono::microseconds(*next - now_us()), air), [this] {
    age_timer_.reset();
    expire(now_us());
    watch_age();
  });
}

void Admission::set_retention(const job::Retention& retention) {
  table_.set_retention(retention);
  if (age_timer_) age_timer_->cancel();
  age_timer_.reset();
  expire(now_us());
}

void Admission::sweep() {
  watch_age();
  if (!table_.has_dropped()) return;
  const std::vector<job::Dropped> dropped = table_.take_dropped();
  for (const job::Dropped& job : dropped) keys_.remove(job.owner, job.key, job.id);
  ledger_.forget(dropped);
}

void Admission::count_in(const job::Job& job) {
  ++waiting_;
  groups_.of(job.spec.group).count_in();
  ++waiting_of_uid_[job.spec.owner];
  if (!job.is_durable()) ++volatile_waiting_;
  contexts_.expect(job.spec);
}

void Admission::count_out(const job::Job& job) noexcept {
  --waiting_;
  groups_.find(job.spec.group)->count_out();
  if (!job.is_durable()) --volatile_waiting_;
  auto of_uid = waiting_of_uid_.find(job.spec.owner);
  if (--of_uid->second == 0) waiting_of_uid_.erase(of_uid);
  contexts_.expect_no_more(job.spec);
}

}  // namespace corund::run
