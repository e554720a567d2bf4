// SPDX-License-Identifier: MIT
#include "daemon/serve/call.hpp"

#include "daemon/serve/methods/record.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve {

corun::Coro<> ReplySink::flush() {
  if (is_silent_ || outbox_->send()) co_return;
  if (outbox_->needs_drain())
    co_await outbox_->drain();
  else
    co_await outbox_->room();
}

std::string* Call::target() {
  if (request.oneway()) return nullptr;
  if (queue_.empty()) return &outbox_.buffer();
  Slot& slot = queue_.push();
  slot.kind = Slot::Kind::text;
  return &slot.text;
}

void Call::answer_with_outcome(job::JobRef job) {
  if (job->is_settled() && queue_.empty()) {  // in its first step, with nothing owed before it
    if (!request.oneway()) write_outcome(outbox_.buffer(), host, *job, terminator_);
    return;
  }
  Slot& slot = queue_.push();
  slot.kind = Slot::Kind::outcome;
  slot.is_silent = request.oneway();
  slot.job = std::move(job);
  slot.cancels_job = true;
}

void Call::answer_with_id(job::JobRef job) {
  if (queue_.empty() && is_acknowledged(*job)) {
    if (!request.oneway()) write_acknowledgement(outbox_.buffer(), host, *job, terminator_);
    return;
  }
  Slot& slot = queue_.push();
  slot.kind = Slot::Kind::id;
  slot.is_silent = request.oneway();
  slot.job = std::move(job);
}

void Call::answer_later(corun::Coro<> body, job::JobRef attached) {
  Slot& slot = queue_.push();
  slot.kind = Slot::Kind::body;
  slot.is_silent = request.oneway();
  slot.cancels_job = static_cast<bool>(attached);
  slot.job = std::move(attached);
  slot.body = std::move(body);
}

job::Job* Call::find_job(std::string_view id) {
  job::Job* job = host.table.find(id);
  if (job && host.access.may_see(peer, *job)) return job;
  error(wire::errors::JobNotFound{std::string(id)});  // the same answer for what is not there and what is not theirs
  return nullptr;
}

job::Job* Call::find_job(wire::ObjectReader& in, std::string_view id) {
  if (id.empty()) in.fail("id");
  if (!in.ok()) return invalid(in.wrong()), nullptr;
  return find_job(id);
}

job::Job* Call::find_job_by_id_alone() {
  std::string id;
  wire::ObjectReader in(request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else
      in.fail();
  return find_job(in, id);
}

}  // namespace corund::serve
