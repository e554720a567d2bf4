// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/systemd_service.hpp"

#include <unistd.h>

#include <string_view>

#include "daemon/serve/methods/administer.hpp"
#include "daemon/wire/object.hpp"
#include "daemon/wire/plain_run.hpp"

namespace corund::serve::methods {
namespace {

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end)
    if (static_cast<unsigned char>(*at) < 0x80)
      ++at;
    else if (const int bytes = wire::utf8_sequence(at, end); bytes > 0)
      at += bytes;
    else
      return false;
  return true;
}

bool is_assignment(std::string_view entry) {
  const auto equals = entry.find('=');
  return equals != std::string_view::npos && equals > 0 && is_utf8(entry);
}

}  // namespace

void ping(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.reply([](wire::JsonWriter&) {});
}

void reload_service(Call& call) {
  if (reload_for(call)) call.reply([](wire::JsonWriter&) {});
}

void get_environment(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  for (char** entry = environ; entry && *entry; ++entry)
    if (!is_assignment(*entry)) return call.error(wire::errors::InconsistentEnvironment{});
  call.reply([](wire::JsonWriter& out) {
    if (!environ || !*environ) return;
    out.key("environment").begin_array();
    for (char** entry = environ; *entry; ++entry) out.string(*entry);
    out.end_array();
  });
}

}  // namespace corund::serve::methods
