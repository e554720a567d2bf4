// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/query.hpp"

#include <unistd.h>

#include <algorithm>

#include "daemon/job/kind.hpp"
#include "daemon/run/clock.hpp"
#include "daemon/serve/methods/record.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

// Empty members ask nothing.
struct Filter {
  std::vector<job::State> states;
  std::vector<std::string> kinds;
  std::vector<std::string> groups;
  std::map<std::string, std::string> labels;
  std::optional<std::int64_t> since_us;
  std::optional<std::int64_t> until_us;

  bool takes(const job::Job& job) const {
    auto holds = [](const auto& set, const auto& value) {
      return set.empty() || std::ranges::find(set, value) != set.end();
    };
    if (!holds(states, job.state) || !holds(kinds, job.spec.kind->name) || !holds(groups, job.spec.group)) return false;
    if ((since_us && job.submitted_us < *since_us) || (until_us && job.submitted_us > *until_us)) return false;
    return std::ranges::all_of(labels, [&](const auto& label) {
      return std::ranges::any_of(job.spec.labels, [&](const auto& own) {
        return own.first == label.first && own.second == label.second;
      });
    });
  }
};

struct Listing {
  Filter filter;
  std::int64_t limit = INT64_MAX;
  bool newest_first = false;
};

void read_states(wire::ObjectReader& in, std::vector<job::State>& out) {
  in.read_array([&](wire::ObjectReader& elements) {
    std::string name;
    if (!elements.read(name)) return;
    auto state = job::parse_state(name);
    if (state)
      out.push_back(*state);
    else
      elements.fail();
  });
}

void read_listing(wire::ObjectReader& in, Listing& out) {
  auto strings = [&](std::vector<std::string>& list) {
    if (!in.is_null()) in.read(list);
  };
  while (in.next()) {
    const std::string_view key = in.key();
    if (key == "states") {
      read_states(in, out.filter.states);
    } else if (key == "kinds") {
      strings(out.filter.kinds);
    } else if (key == "groups") {
      strings(out.filter.groups);
    } else if (key == "labels") {
      if (!in.is_null()) in.read(out.filter.labels);
    } else if (key == "sinceUSec") {
      in.read(out.filter.since_us);
    } else if (key == "untilUSec") {
      in.read(out.filter.until_us);
    } else if (key == "limit") {
      if (!in.is_null()) in.read(out.limit, std::int64_t{0});
    } else if (key == "newestFirst") {
      if (!in.is_null()) in.read(out.newest_first);
    } else {
      in.fail();
    }
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
    if (!may_see(peer, *job) || !listing.filter.takes(*job)) continue;
    --listing.limit;
    std::string text;
    wire::JsonWriter writer(text);
    write_job(writer, *job);
    std::swap(held, text);
    if (text.empty()) continue;
    sink.reply([&](wire::JsonWriter& out) { out.key("job").raw(text); }, true);
    co_await sink.flush();
  }
  sink.reply([&](wire::JsonWriter& out) {
    if (!held.empty()) out.key("job").raw(held);
  });
}

void write_counts(wire::JsonWriter& out, const job::Counts& counts) {
  out.begin_object();
  for (job::State state : job::all_states)
    out.key(job::name(state)).unsigned_integer(counts[static_cast<std::size_t>(state)]);
  out.end_object();
}

}  // namespace

void show(Call& call) {
  std::string id;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "id")
      in.read(id);
    else
      in.fail();
  if (id.empty()) in.fail("id");
  if (!in.ok()) return call.invalid(in.wrong());
  call.host.table.expire(call.now_us);
  if (job::Job* job = call.find_job(id))
    call.reply([&](wire::JsonWriter& out) { write_job(out.key("job"), *job); });
}

void list(Call& call) {
  Listing listing;
  wire::ObjectReader in(call.request.parameters());
  read_listing(in, listing);
  if (!in.ok()) return call.invalid(in.wrong());
  call.host.table.expire(call.now_us);
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
    out.key("state").string(host.admission.is_draining() ? "draining" : "running");
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
    out.key("journalDropped").unsigned_integer(host.journal.dropped());
  });
}

}  // namespace corund::serve::methods
