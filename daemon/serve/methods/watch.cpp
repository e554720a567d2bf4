// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/watch.hpp"

#include <chrono>

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

// Events from the earliest kept on, until the job is over and all were told.
corun::Coro<> tell_events(ReplySink sink, job::JobRef job) {
  Watching watching(*job);
  lifecycle_event(sink, *job, "queued", job::State::queued, job->submitted_us);
  bool told_start = false;
  std::uint64_t next = 0;
  for (;;) {
    if (!told_start && job->started_us) {
      lifecycle_event(sink, *job, "started", job::State::running, job->started_us);
      told_start = true;
    }
    while (const job::Event* event = job->events ? job->events->from(next) : nullptr) {
      sink.reply([&](wire::JsonWriter& out) { write_event(out.key("event"), *job, *event); }, true);
      ++next;
      if (next % 64 == 0) co_await sink.flush();
    }
    const bool is_over = job->is_over();
    if (is_over) co_return;
    co_await sink.flush();
    // While the peer was waited for, more may have happened: only with nothing new is there something to wait for.
    if (job->is_over() || (job->events && job->events->from(next)) || (!told_start && job->started_us)) continue;
    co_await job->changed.wait();
  }
}

corun::Coro<> watch_to_the_end(ReplySink sink, job::JobRef job) {
  co_await tell_events(sink, job);
  lifecycle_event(sink, *job, "ended", job->state, job->ended_us, false);
}

corun::Coro<> wait_for_end(ReplySink sink, job::JobRef job, std::optional<corun::time_point> deadline) {
  try {
    if (!job->is_over())
      co_await corun::timeout_at(deadline, [&job](corun::Timeout&) -> corun::Coro<> { co_await job::ended(job); });
  } catch (const corun::TimeoutError&) {
    throw MethodError::of(wire::errors::WaitTimedOut{std::string(job->id_view())});
  }
  sink.reply([&](wire::JsonWriter& out) { write_job(out.key("job"), *job); });
}

}  // namespace

corun::Coro<> run_events(ReplySink sink, job::JobRef job) {
  co_await tell_events(sink, job);
  if (!sink.is_silent()) write_outcome(sink.buffer(), *job, sink.terminator());
}

void watch(Call& call) {
  std::string id;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else
      in.fail();
  if (id.empty()) in.fail("id");
  if (!in.ok()) return call.invalid(in.wrong());
  job::Job* job = call.find_job(id);
  if (!job) return;
  std::size_t limit = call.host.config.limits.watchers_per_job;
  if (job->watchers >= limit)
    return call.error(wire::errors::LimitReached{"limits.watchers_per_job", static_cast<std::int64_t>(limit)});
  call.answer_later(watch_to_the_end(call.sink(), job::JobRef(*job)));
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
  if (id.empty()) in.fail("id");
  if (!in.ok()) return call.invalid(in.wrong());
  job::Job* job = call.find_job(id);
  if (!job) return;
  if (job->is_over()) return call.reply([&](wire::JsonWriter& out) { write_job(out.key("job"), *job); });
  std::optional<corun::time_point> deadline;  // counted from the call, not from its turn to be answered
  if (timeout >= 0)
    deadline = corun::get_running_loop().time() +
               std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(timeout));
  call.answer_later(wait_for_end(call.sink(), job::JobRef(*job), deadline));
}

}  // namespace corund::serve::methods
