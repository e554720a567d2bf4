// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/administer.hpp"

#include <algorithm>

#include "daemon/wire/object.hpp"

namespace corund::serve::methods {
namespace {

wire::errors::BadConfiguration bad_configuration(const config::Faults& faults) {
  wire::errors::BadConfiguration error;
  for (const auto& fault : faults)
    error.faults.push_back({fault.file, static_cast<std::int64_t>(fault.line), fault.key, fault.reason});
  return error;
}

void write_names(wire::JsonWriter& out, const std::vector<std::string>& names) {
  out.begin_array();
  for (const auto& name : names) out.string(name);
  out.end_array();
}

}  // namespace

std::optional<config::Changes> reload_for(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong()), std::nullopt;
  auto changes = call.host.owner.reload();
  if (!changes) return call.error(bad_configuration(changes.error())), std::nullopt;
  return std::move(*changes);
}

void reload(Call& call) {
  const auto changes = reload_for(call);
  if (!changes) return;
  call.reply([&](wire::JsonWriter& out) {
    write_names(out.key("changed"), changes->changed);
    write_names(out.key("needsRestart"), changes->needs_restart);
  });
}

// Until the next start, or a reload that brings another level. syslog's levels above `error` are rarer than anything the daemon says.
void set_log_level(Call& call) {
  std::int64_t level = -1;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "level")
      in.read(level, 0, 7);
    else
      in.fail();
  if (level < 0) in.fail("level");
  if (!in.ok()) return call.invalid(in.wrong());
  const auto most = static_cast<std::int64_t>(sd::LogLevel::error);
  call.host.journal.log().set_level(static_cast<sd::LogLevel>(std::max(level, most)));
  call.reply([](wire::JsonWriter&) {});
}

}  // namespace corund::serve::methods
