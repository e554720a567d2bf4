// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/watch.hpp"

#include <chrono>

#include "daemon/run/clock.hpp"
#include "daemon/serve/methods/record.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

class Watching {
 public:
  explicit Watching(job::Job& job) noexcept : job_(job) { ++job_.watchers; }
  ~Watching() { --job_.watchers; }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  job::Job& job_;
};

void lifecycle_event(ReplySink& sink, const job::Job& job, std::string_view type, job::State state, std::int64_t timestamp_us,
                     bool continues = true) {
  sink.reply([&](wire::JsonWriter& out) { write_event(out.key("event"), job, type, state, timestamp_us); }, continues);
}

const job::Event* next_event(const job::Job& job, std::uint64_t& number) {
  const job::Record& record = job.record();
  return record.events ? record.events->from(number) : nullptr;
}

void tell_missed(ReplySink& sink, const job::Job& job, std::uint64_t count) {
  job::Event event;
  event.type = job::EventType::log;
  event.level = 4;
  event.timestamp_us = run::now_us();
  event.text = std::to_string(count) + " events are missing here: they came faster than they were read";
  sink.reply([&](wire::JsonWriter& out) { write_event(out.key("event"), job, event); }, true);
}

// The caller of an attached job reads along: its job does not get far ahead of it.
class ReadingAlong {
 public:
  explicit ReadingAlong(job::JobRef job) noexcept : job_(std::move(job)) {}
  ~ReadingAlong() { set(std::nullopt); }
  ReadingAlong(const ReadingAlong&) = delete;
  ReadingAlong& operator=(const ReadingAlong&) = delete;
  void set(std::optional<std::uint64_t> next) {
    if (!job_) return;
    job::Record& record = job_->record();
    record.caller_next = next;
    record.caller_read.notify();
  }

 private:
  job::JobRef job_;  // null: a watcher, who may miss what it is too slow for
};

// Events from the earliest kept on, until the job is over and all were told. What fell out before it could be told is told as that.
corun::Coro<> tell_events(ReplySink sink, const Host& host, job::JobRef job, bool is_caller) {
  Watching watching(*job);
  ReadingAlong reading(is_caller ? job : job::JobRef());
  lifecycle_event(sink, *job, "queued", job::State::queued, job->submitted_us);
  bool told_start = false;
  std::uint64_t next = 0, told_upto = 0;
  for (;;) {
    if (!told_start && job->started_us) {
      lifecycle_event(sink, *job, "started", job::State::running, job->started_us);
      told_start = true;
    }
    reading.set(next);
    while (const job::Event* event = next_event(*job, next)) {
      if (next > told_upto) tell_missed(sink, *job, next - told_upto);
      told_upto = next + 1;
      sink.reply([&](wire::JsonWriter& out) { write_event(out.key("event"), *job, *event); }, true);
      ++next;
      if (next % 64 == 0) {
        co_await sink.flush();
        reading.set(next);
      }
    }
    if (is_settled(host, *job)) co_return;
    co_await sink.flush();
    reading.set(next);
    // While the peer was waited for, more may have happened: only with nothing new is there something to wait for.
    if (is_settled(host, *job) || next_event(*job, next) || (!told_start && job->started_us)) continue;
    co_await job->changed.wait();
  }
}

corun::Coro<> watch_to_the_end(ReplySink sink, const Host& host, job::JobRef job) {
  co_await tell_events(sink, host, job, false);
  throw_if_not_over(host, *job);
  lifecycle_event(sink, *job, "ended", job->state, job->ended_us, false);
}

corun::Coro<> wait_for_end(ReplySink sink, Host& host, job::JobRef job, std::optional<corun::time_point> deadline) {
  try {
    if (!job->is_over())
      co_await corun::timeout_at(deadline, [&](corun::Timeout&) -> corun::Coro<> { co_await settled(host, job); });
  } catch (const corun::TimeoutError&) {
    throw MethodError::of(wire::errors::WaitTimedOut{std::string(job->id_view())});
  }
  co_await tell_job(sink, host, job);
}

}  // namespace

void throw_if_refused(const job::Job& job) {
  if (job.wait == job::Wait::refused) throw MethodError::of(wire::errors::JobNotFound{std::string(job.id_view())});
}

bool is_settled(const Host& host, const job::Job& job) noexcept { return job.is_settled() || host.admission.is_left_to_next(job); }

void throw_if_not_over(const Host& host, const job::Job& job) {
  throw_if_refused(job);
  if (host.admission.is_left_to_next(job)) throw MethodError::of(wire::errors::Draining{});
}

corun::Coro<> settled(const Host& host, job::JobRef job) {
  while (!is_settled(host, *job)) co_await job->changed.wait();
  throw_if_not_over(host, *job);
}

corun::Coro<> tell_job(ReplySink sink, Host& host, job::JobRef job) {
  auto body = co_await host.ledger.body_of(job);
  sink.reply([&](wire::JsonWriter& out) { write_job(out.key("job"), host, *job, body.get()); });
}

corun::Coro<> run_events(ReplySink sink, Host& host, job::JobRef job) {
  co_await tell_events(sink, host, job, true);
  auto body = co_await host.ledger.body_of(job);
  if (!sink.is_silent()) write_outcome(sink.buffer(), host, *job, sink.terminator(), body.get());
}

void watch(Call& call) {
  job::Job* job = call.find_job_by_id_alone();
  if (!job) return;
  std::size_t limit = call.host.config.limits.watchers_per_job;
  if (job->watchers >= limit)
    return call.error(wire::errors::LimitReached{"limits.watchers_per_job", static_cast<std::int64_t>(limit)});
  call.answer_later(watch_to_the_end(call.sink(), call.host, job::JobRef(*job)));
}

void wait(Call& call) {
  std::string id;
  double timeout = -1;  // none
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else if (in.key() == "timeout")
      in.is_null() || in.read(timeout, 0.0, 1e9);
    else
      in.fail();
  job::Job* job = call.find_job(in, id);
  if (!job) return;
  if (job->is_over()) return call.answer_later(tell_job(call.sink(), call.host, job::JobRef(*job)));
  std::optional<corun::time_point> deadline;  // counted from the call, not from its turn to be answered
  if (timeout >= 0)
    deadline = corun::get_running_loop().time() +
               std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(timeout));
  call.answer_later(wait_for_end(call.sink(), call.host, job::JobRef(*job), deadline));
}

}  // namespace corund::serve::methods
