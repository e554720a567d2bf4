// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/query.hpp"

#include <unistd.h>

#include <algorithm>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/serve/methods/filter.hpp"
#include "daemon/serve/methods/record.hpp"
#include "daemon/serve/methods/watch.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

struct Listing {
  Filter filter;
  std::int64_t limit = INT64_MAX;
  bool newest_first = false;
};

void read_listing(wire::ObjectReader& in, Listing& out) {
  while (in.next()) {
    const std::string_view key = in.key();
    if (key == "sinceUSec")
      in.read(out.filter.since_us);
    else if (key == "limit")
      in.is_null() || in.read(out.limit, std::int64_t{0});
    else if (key == "newestFirst")
      in.is_null() || in.read(out.newest_first);
    else if (!read_filter(in, out.filter))
      in.fail();
  }
}

// A job is told when the next one is found, because only the last reply says that none follows.
corun::Coro<> tell_jobs(ReplySink sink, Host& host, Peer peer, Listing listing) {
  using Cursor = job::Table::Cursor;
  Cursor cursor(host.table, listing.newest_first ? Cursor::Direction::newest_first : Cursor::Direction::oldest_first);
  std::string held;
  for (std::size_t looked_at = 1; listing.limit > 0; ++looked_at) {
    if (looked_at % 256 == 0) co_await corun::sleep(std::chrono::seconds(0));
    job::Job* job = cursor.next();
    if (!job) break;
    if (!host.access.may_see(peer, *job) || !listing.filter.takes(*job)) continue;
    --listing.limit;
    job::JobRef pinned(*job);
    auto body = co_await host.ledger.body_of(pinned);
    std::string text;
    wire::JsonWriter writer(text);
    write_job(writer, host, *pinned, body.get());
    std::swap(held, text);
    if (text.empty()) continue;
    sink.reply([&](wire::JsonWriter& out) { out.key("job").raw(text); }, true);
    co_await sink.flush();
  }
  sink.reply([&](wire::JsonWriter& out) {
    if (!held.empty()) out.key("job").raw(held);
  });
}

std::string_view state_of(const run::Admission& admission) {
  if (admission.is_draining()) return "draining";
  return admission.groups().all_paused() ? "paused" : "running";
}

void write_counts(wire::JsonWriter& out, const job::Counts& counts) {
  out.begin_object();
  for (job::State state : job::all_states)
    out.key(job::name(state)).unsigned_integer(counts[static_cast<std::size_t>(state)]);
  out.end_object();
}

}  // namespace

void show(Call& call) {
  call.host.admission.expire(call.now_us);
  job::Job* job = call.find_job_by_id_alone();
  if (!job) return;
  if (job->is_shelved()) return call.answer_later(tell_job(call.sink(), call.host, job::JobRef(*job)));
  call.reply([&](wire::JsonWriter& out) { write_job(out.key("job"), call.host, *job, nullptr); });
}

void list(Call& call) {
  Listing listing;
  wire::ObjectReader in(call.request.parameters());
  read_listing(in, listing);
  if (!in.ok()) return call.invalid(in.wrong());
  call.host.admission.expire(call.now_us);
  call.answer_later(tell_jobs(call.sink(), call.host, call.peer, std::move(listing)));
}

void list_kinds(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.reply([&](wire::JsonWriter& out) {
    out.key("kinds").begin_array();
    for (const auto& [name, kind] : call.host.registry.kinds()) {
      out.begin_object().key("name").string(name).key("summary").string(kind.summary);
      if (!kind.args_schema.empty()) out.key("argsSchema").string(kind.args_schema);
      if (!kind.result_schema.empty()) out.key("resultSchema").string(kind.result_schema);
      if (kind.timeout) out.key("timeout").number(run::seconds(*kind.timeout));
      if (kind.grace) out.key("grace").number(run::seconds(*kind.grace));
      out.key("group").string(kind.group).key("origin").string(kind.origin);
      if (!kind.build_id.empty()) out.key("buildId").string(kind.build_id);
      out.end_object();
    }
    out.end_array();
  });
}

void status(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  Host& host = call.host;
  corun::LoopStats stats = corun::get_running_loop().stats();
  call.reply([&](wire::JsonWriter& out) {
    out.key("version").string(host.version);
    out.key("state").string(state_of(host.admission));
    out.key("pid").integer(::getpid()).key("startedUSec").integer(host.started_us);
    write_counts(out.key("jobs"), host.table.counts());
    out.key("groups").begin_array();
    for (const auto& [name, group] : host.admission.groups().all()) {
      out.begin_object().key("name").string(name).key("limit").unsigned_integer(std::min<std::size_t>(group->limit(), INT64_MAX));
      out.key("running").unsigned_integer(group->running()).key("queued").unsigned_integer(group->queued());
      out.key("paused").boolean(group->paused()).end_object();
    }
    out.end_array().key("loopLag").begin_object();
    out.key("p50").number(stats.lag_p50).key("p99").number(stats.lag_p99).key("max").number(stats.lag_max).end_object();
    out.key("steps").unsigned_integer(stats.steps).key("tasks").unsigned_integer(stats.tasks);
    out.key("sessions").unsigned_integer(host.sessions);
    out.key("executorThreads").unsigned_integer(host.executor->threads());
    out.key("executorBusy").unsigned_integer(host.executor->busy());
    if (const auto store = host.ledger.stats()) {
      out.key("storeBytes").unsigned_integer(store->bytes);
      out.key("commitSeconds").begin_object().key("p50").number(store->commit.p50);
      out.key("p99").number(store->commit.p99).key("max").number(store->commit.max).end_object();
    }
    out.key("journalDropped").unsigned_integer(host.journal.dropped());
  });
}

}  // namespace corund::serve::methods
