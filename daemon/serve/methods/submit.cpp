// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/submit.hpp"

#include <algorithm>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/serve/methods/options.hpp"
#include "daemon/serve/methods/record.hpp"
#include "daemon/serve/methods/watch.hpp"

namespace corund::serve::methods {
namespace {

constexpr std::size_t jobs_at_once_max = 10'000;

SubmissionRules rules_of(const Call& call) { return {call.host.config.limits.args_bytes, call.host.ledger.keeps()}; }

job::Ack default_ack(const Call& call, bool is_attached) {
  return !is_attached && call.host.ledger.keeps() ? job::Ack::disk : job::Ack::memory;
}

MethodError refused(const run::Refusal& refusal) {
  switch (refusal.why) {
    case run::Refusal::Why::draining: return MethodError::of(wire::errors::Draining{});
    case run::Refusal::Why::queue_full:
      return MethodError::of(wire::errors::QueueFull{static_cast<std::int64_t>(refusal.value), refusal.retry_after});
    case run::Refusal::Why::no_such_job: return MethodError::of(wire::errors::JobNotFound{refusal.job.to_string()});
    case run::Refusal::Why::after_memory: return MethodError::of(wire::errors::InvalidParameter{"after"});
    case run::Refusal::Why::limit_reached: break;
  }
  return MethodError::of(wire::errors::LimitReached{std::string(refusal.limit), static_cast<std::int64_t>(refusal.value)});
}

void refuse(Call& call, const run::Refusal& refusal) { call.error(refused(refusal)); }

void refuse_args(Call& call) {
  call.error(wire::errors::LimitReached{"limits.args_bytes", static_cast<std::int64_t>(call.host.config.limits.args_bytes)});
}

// Sets the kind; or answers what is wrong with it, and with its args, or that the peer may not run it. path: where the job stands in the
// parameters, with its dot.
bool set_kind(Call& call, job::Job& job, const std::string& kind, const std::string& path = {}) {
  job.spec.kind = call.host.registry.find(kind);
  if (!job.spec.kind) return call.error(wire::errors::KindNotFound{kind}), false;
  if (!call.host.access.may_submit(call.peer, kind)) return call.error(wire::errors::PermissionDenied{}), false;
  if (!job.spec.kind->check) return true;
  auto wrong = job.spec.kind->check(job.spec.args.view());
  if (wrong) call.invalid(path + *wrong);
  return !wrong;
}

job::Job* open(Call& call, bool is_attached) {
  auto opened = call.host.admission.open(call.now_us);
  if (!opened) return refuse(call, opened.error()), nullptr;
  job::Job& job = **opened;
  job.spec.owner = call.peer.uid;
  job.spec.attached = is_attached;
  job.spec.ack = default_ack(call, is_attached);
  job.spec.args.assign("{}");
  return &job;
}

struct Accepted {
  job::JobRef job;
  bool is_new = true;  // false: the key stood for it already
};

// The job that the call asks for, taken; or the call is answered with what is wrong.
Accepted accept(Call& call, bool is_attached) {
  job::Job* job = open(call, is_attached);
  if (!job) return {};
  wire::ObjectReader in(call.request.parameters());
  std::string kind;
  const bool args_fit = read_options(in, job->spec, kind, rules_of(call));
  if (!in.ok() || !args_fit || !set_kind(call, *job, kind)) {
    if (!in.ok())
      call.invalid(in.wrong());
    else if (!args_fit)
      refuse_args(call);
    call.host.admission.discard(*job);
    return {};
  }
  if (const std::string& key = job->spec.extras().key; !key.empty())
    if (job::Job* first = call.host.admission.by_key(call.peer.uid, key)) {
      call.host.admission.discard(*job);
      return {job::JobRef(*first), false};
    }
  auto admitted = call.host.admission.admit(*job);
  if (!admitted) return refuse(call, admitted.error()), Accepted();
  return {std::move(*admitted), true};
}

// Answers for a job that another submission made: as its own would be, but it does not end with this connection.
corun::Coro<> tell_outcome(ReplySink sink, Host& host, job::JobRef job) {
  co_await job::ended(job);
  auto body = co_await host.ledger.body_of(job);
  if (!sink.is_silent()) write_outcome(sink.buffer(), host, *job, sink.terminator(), body.get());
}

corun::Coro<> tell_ids(ReplySink sink, Host& host, std::vector<job::JobRef> jobs) {
  try {
    for (job::JobRef& job : jobs) co_await host.admission.acknowledged(job);
  } catch (const store::StoreError& e) {
    throw MethodError::of(wire::errors::StoreFull{e.what()});
  }
  const bool all_on_disk = std::ranges::all_of(jobs, [](const job::JobRef& job) { return job->is_durable(); });
  sink.reply([&](wire::JsonWriter& out) {
    out.key("ids").begin_array();
    for (const job::JobRef& job : jobs) out.string(job->id_view());
    out.end_array().key("ack").string(all_on_disk ? "disk" : "memory");
  });
}

// The jobs of SubmitMany, each opened and filled; they are all discarded again where one of them is wrong. Keys have no place there: all or
// none cannot hold for a job that is there already.
class Batch {
 public:
  explicit Batch(Call& call) : call_(call) {}
  ~Batch() {
    for (job::Job* job : jobs_) call_.host.admission.discard(*job);
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // False: the call is answered.
  bool read() {
    bool has_jobs = false;
    std::optional<job::Ack> ack;
    wire::ObjectReader in(call_.request.parameters());
    while (in.next())
      if (in.key() == "jobs" && !in.is_null()) {
        has_jobs = true;
        in.read_array([&](wire::ObjectReader& elements) { read_one(elements); });
      } else if (in.key() == "ack") {
        if (!in.is_null()) read_ack(in, ack.emplace(), rules_of(call_));
      } else {
        in.fail();
      }
    if (is_answered_) return false;
    if (!has_jobs) in.fail("jobs");
    if (!in.ok()) return call_.invalid(in.wrong()), false;
    if (!args_fit_) return refuse_args(call_), false;
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      const std::string path = "jobs[" + std::to_string(i) + "].";
      if (!jobs_[i]->spec.extras().key.empty()) return call_.invalid(path + "key"), false;
      if (!set_kind(call_, *jobs_[i], kinds_[i], path)) return false;
      if (ack) jobs_[i]->spec.ack = *ack;
    }
    return true;
  }

  void submit() {
    auto admitted = call_.host.admission.admit_all(jobs_);
    jobs_.clear();
    if (!admitted && admitted.error().why == run::Refusal::Why::after_memory)
      return call_.invalid("jobs[" + std::to_string(admitted.error().index) + "].after");
    if (!admitted) return refuse(call_, admitted.error());
    call_.answer_later(tell_ids(call_.sink(), call_.host, std::move(*admitted)));
  }

 private:
  void read_one(wire::ObjectReader& elements) {
    if (is_answered_) return;
    if (jobs_.size() == jobs_at_once_max || elements.is_null()) return void(elements.fail());
    job::Job* job = open(call_, false);
    if (!job) return void(is_answered_ = true);
    jobs_.push_back(job);
    elements.read_object(
        [&](wire::ObjectReader& spec) { args_fit_ &= read_options(spec, job->spec, kinds_.emplace_back(), rules_of(call_)); });
  }

  Call& call_;
  std::vector<job::Job*> jobs_;
  std::vector<std::string> kinds_;
  bool args_fit_ = true;
  bool is_answered_ = false;
};

// A copy of an ended job's spec; its args may have to be read first.
corun::Coro<> submit_again(ReplySink sink, Host& host, Peer peer, job::JobRef ended) {
  auto body = co_await host.ledger.body_of(ended);
  auto opened = host.admission.open(run::now_us());
  if (!opened) throw refused(opened.error());
  job::Job& job = **opened;
  job.spec.copy_from(ended->spec);
  if (body) job.spec.args.assign(body->args.view());
  job.spec.owner = peer.uid;
  job.spec.ack = host.ledger.keeps() ? job::Ack::disk : job::Ack::memory;
  job.spec.delay = std::chrono::nanoseconds(0);
  if (!job.spec.extras().empty()) {
    job.spec.make_extras().key.clear();
    job.spec.make_extras().after.clear();
  }
  auto admitted = host.admission.admit(job);
  if (!admitted) throw refused(admitted.error());
  try {
    co_await host.admission.acknowledged(*admitted);
  } catch (const store::StoreError& e) {
    throw MethodError::of(wire::errors::StoreFull{e.what()});
  }
  sink.reply([&](wire::JsonWriter& out) { out.key("id").string((*admitted)->id_view()); });
}

}  // namespace

void run(Call& call) {
  Accepted accepted = accept(call, true);
  if (!accepted.job) return;
  if (call.request.more())
    call.answer_later(run_events(call.sink(), call.host, accepted.job), accepted.is_new ? accepted.job : job::JobRef());
  else if (accepted.is_new)
    call.answer_with_outcome(std::move(accepted.job));
  else
    call.answer_later(tell_outcome(call.sink(), call.host, std::move(accepted.job)));
}

void submit(Call& call) {
  Accepted accepted = accept(call, false);
  if (accepted.job) call.answer_with_id(std::move(accepted.job));
}

void submit_many(Call& call) {
  Batch batch(call);
  if (batch.read()) batch.submit();
}

void retry(Call& call) {
  job::Job* job = call.find_job_by_id_alone();
  if (!job) return;
  if (!job->is_over()) return call.error(wire::errors::NotEnded{std::string(job->id_view())});
  if (!call.host.access.may_submit(call.peer, job->spec.kind->name)) return call.error(wire::errors::PermissionDenied{});
  if (!job->spec.kind->body) return call.error(wire::errors::KindNotFound{job->spec.kind->name});
  call.answer_later(submit_again(call.sink(), call.host, call.peer, job::JobRef(*job)));
}

}  // namespace corund::serve::methods
