// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/subscribe.hpp"

#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

constexpr int changes_in_a_row = 64;  // before the peer has to have room for them

// Ends by an error only: Draining where the daemon goes, LimitReached where the peer reads too slowly; what it missed, List tells.
corun::Coro<> tell_changes(ReplySink sink, const Host& host, Peer peer, job::Changes::Reader reader) {
  for (;;) {
    int told = 0;
    while (const job::Change* change = reader.next()) {
      if (!host.access.may_see(peer, change->owner)) continue;
      sink.reply(
          [&](wire::JsonWriter& out) {
            out.key("id").string(change->id).key("kind").string(change->kind).key("group").string(change->group);
            out.key("state").string(job::name(change->state)).key("timestampUSec").integer(change->timestamp_us);
          },
          true);
      if (++told % changes_in_a_row == 0) co_await sink.flush();
    }
    if (reader.is_behind())
      throw MethodError::of(wire::errors::LimitReached{"limits.unread_changes", static_cast<std::int64_t>(host.config.limits.unread_changes)});
    if (reader.is_closed()) throw MethodError::of(wire::errors::Draining{});
    co_await sink.flush();
    // While the peer was waited for, more may have happened.
    if (!reader.has_next() && !reader.is_behind() && !reader.is_closed()) co_await reader.wait();
  }
}

}  // namespace

void subscribe(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.answer_later(tell_changes(call.sink(), call.host, call.peer, job::Changes::Reader(call.host.table.changes())));
}

}  // namespace corund::serve::methods
