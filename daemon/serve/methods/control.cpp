// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/control.hpp"

#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

constexpr std::size_t reason_bytes_max = 1024;

std::string_view word(run::CancelResult result) {
  switch (result) {
    case run::CancelResult::unwound: return "unwound";
    case run::CancelResult::swallowed: return "swallowed";
    case run::CancelResult::running: return "running";
    case run::CancelResult::not_started: return "notStarted";
    case run::CancelResult::already_ended: break;
  }
  return "alreadyEnded";
}

void write_cancellation(wire::JsonWriter& out, const job::Job& job, run::CancelResult result) {
  out.key("outcome").string(word(result)).key("state").string(job::name(job.state));
  out.key("seconds").number(result == run::CancelResult::already_ended ? 0 : run::cancel_seconds(job));
  if (result == run::CancelResult::already_ended || !job.cancellation) return;
  const job::Cancellation& seen = *job.cancellation;
  if (!seen.function.empty()) {
    out.key("suspendedAt").begin_object().key("function").string(seen.function);
    out.key("file").string(seen.file).key("line").integer(seen.line).end_object();
  }
  if (!seen.escalated.empty()) out.key("escalated").string(seen.escalated);
}

corun::Coro<> tell_when_over(ReplySink sink, job::JobRef job) {
  while (!job->is_over() && !(job->running && job->running->abandoned)) co_await job->changed.wait();
  sink.reply([&](wire::JsonWriter& out) { write_cancellation(out, *job, run::cancel_result(*job)); });
}

corun::Coro<> tell_when_idle(ReplySink sink, run::Drain& drain) {
  co_await drain.finish_all();
  sink.reply([](wire::JsonWriter&) {});
}

}  // namespace

void cancel(Call& call) {
  std::string id;
  std::optional<std::string> reason;
  bool force = false;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else if (in.key() == "reason")
      in.read(reason) && reason && reason->size() > reason_bytes_max && in.fail();
    else if (in.key() == "force")
      in.is_null() || in.read(force);
    else
      in.fail();
  if (id.empty()) in.fail("id");
  if (!in.ok()) return call.invalid(in.wrong());
  job::Job* job = call.find_job(id);
  if (!job) return;
  if (!call.host.admission.cancel(*job, reason.value_or(""), force))
    return call.reply([&](wire::JsonWriter& out) { write_cancellation(out, *job, run::CancelResult::already_ended); });
  call.answer_later(tell_when_over(call.sink(), job::JobRef(*job)));
}

void drain(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  if (!is_admin(call.peer)) return call.error(wire::errors::PermissionDenied{});
  call.host.admission.close();
  call.answer_later(tell_when_idle(call.sink(), call.host.drain));
}

}  // namespace corund::serve::methods
