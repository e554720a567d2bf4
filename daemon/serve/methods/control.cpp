// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/control.hpp"

#include "daemon/run/clock.hpp"
#include "daemon/serve/methods/filter.hpp"
#include "daemon/serve/methods/watch.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

constexpr std::size_t reason_bytes_max = 1024;
constexpr std::size_t group_name_bytes_max = 128;
constexpr std::int64_t group_limit_max = 1'000'000'000;
constexpr std::int64_t configured_limit = -1;  // of SetGroup: no limit of an administrator's any more

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
  while (!job->is_settled() && !(job->running && job->running->abandoned)) co_await job->changed.wait();
  throw_if_refused(*job);
  sink.reply([&](wire::JsonWriter& out) { write_cancellation(out, *job, run::cancel_result(*job)); });
}

corun::Coro<> tell_count(ReplySink sink, Host& host, std::int64_t count) {
  co_await host.ledger.forgotten();
  sink.reply([&](wire::JsonWriter& out) { out.key("count").integer(count); });
}

// One by one and not all at once: there may be many.
corun::Coro<> remove_some(ReplySink sink, Host& host, Peer peer, Filter filter) {
  using Cursor = job::Table::Cursor;
  Cursor cursor(host.table, Cursor::Direction::oldest_first);
  std::int64_t count = 0;
  std::size_t looked_at = 0;
  for (;;) {
    // Before the next one is looked at, never between that and its removal: another call may remove it as well.
    if (++looked_at % 256 == 0) co_await corun::sleep(std::chrono::seconds(0));
    job::Job* job = cursor.next();
    if (!job) break;
    if (!job->is_over() || !host.access.may_end(peer, *job) || !filter.takes(*job)) continue;
    host.admission.remove(*job);
    ++count;
  }
  co_await tell_count(sink, host, count);
}

// For what an administrator has set: it counts already.
corun::Coro<> tell_when_kept(ReplySink sink, Host& host) {
  if (!co_await host.ledger.groups_kept())
    throw MethodError::of(wire::errors::StoreFull{"it is in force, and is kept over a restart only if the disk takes it before"});
  sink.reply([](wire::JsonWriter&) {});
}

// Pause and Resume.
void set_paused(Call& call, bool paused) {
  std::optional<std::string> group;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "group")
      in.read(group) && group && group->empty() && in.fail();
    else
      in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  // It would start nothing: what is durable is the next daemon's.
  if (!paused && call.host.admission.is_draining() && call.host.admission.waiting_here() == 0) return call.error(wire::errors::Draining{});
  if (!call.host.admission.set_paused(group.value_or(""), paused)) return call.error(wire::errors::GroupNotFound{*group});
  call.answer_later(tell_when_kept(call.sink(), call.host));
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
  job::Job* job = call.find_job(in, id);
  if (!job) return;
  if (!call.host.access.may_end(call.peer, *job)) return call.error(wire::errors::PermissionDenied{});
  const job::JobRef held(*job);  // its end may be one record too many, and its own may go by that
  if (!call.host.admission.cancel(*job, reason.value_or(""), force))
    return call.reply([&](wire::JsonWriter& out) { write_cancellation(out, *job, run::CancelResult::already_ended); });
  call.answer_later(tell_when_over(call.sink(), held));
}

void remove(Call& call) {
  std::optional<std::string> id;
  Filter filter;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else if (!read_filter(in, filter))
      in.fail();
  // Nothing said would be everything: that has to be said.
  if (!id && filter.asks_nothing()) in.fail("id");
  if (id && !filter.asks_nothing()) in.fail("id");
  if (!in.ok()) return call.invalid(in.wrong());
  if (!id) return call.answer_later(remove_some(call.sink(), call.host, call.peer, std::move(filter)));
  job::Job* job = call.find_job(*id);
  if (!job) return;
  if (!call.host.access.may_end(call.peer, *job)) return call.error(wire::errors::PermissionDenied{});
  if (!job->is_over()) return call.error(wire::errors::NotEnded{*id});
  call.host.admission.remove(*job);
  call.answer_later(tell_count(call.sink(), call.host, 1));
}

void pause(Call& call) { set_paused(call, true); }
void resume(Call& call) { set_paused(call, false); }

void set_group(Call& call) {
  std::string name;
  std::int64_t limit = configured_limit - 1;  // not said
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "name")
      in.read(name) && (name.empty() || name.size() > group_name_bytes_max) && in.fail();
    else if (in.key() == "limit")
      in.read(limit, configured_limit, group_limit_max);
    else
      in.fail();
  if (name.empty()) in.fail("name");
  if (limit < configured_limit) in.fail("limit");
  if (!in.ok()) return call.invalid(in.wrong());
  const auto at_most = limit == configured_limit ? std::nullopt : std::optional(static_cast<std::size_t>(limit));
  if (!call.host.admission.set_limit(name, at_most))
    return call.error(wire::errors::LimitReached{"limits.groups", static_cast<std::int64_t>(call.host.config.limits.groups)});
  call.answer_later(tell_when_kept(call.sink(), call.host));
}

void list_contexts(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.reply([&](wire::JsonWriter& out) {
    out.key("contexts").begin_array();
    for (const auto& [key, named] : call.host.contexts.named()) {
      if (key.first != call.peer.uid && !call.host.access.is_admin(call.peer)) continue;
      out.begin_object().key("name").string(key.second).key("ownerUid").integer(key.first);
      out.key("variables").unsigned_integer(named.context.size()).key("jobsRunning").unsigned_integer(named.jobs_running);
      out.key("lastUsedUSec").integer(named.last_used_us).end_object();
    }
    out.end_array();
  });
}

void drop_context(Call& call) {
  std::string name;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "name")
      in.read(name);
    else
      in.fail();
  if (name.empty()) in.fail("name");
  if (!in.ok()) return call.invalid(in.wrong());
  if (!call.host.contexts.drop(call.peer.uid, name)) return call.error(wire::errors::ContextNotFound{name});
  call.reply([](wire::JsonWriter&) {});
}

void drain(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.host.admission.close();
  call.answer_later(tell_when_idle(call.sink(), call.host.drain));
}

}  // namespace corund::serve::methods
