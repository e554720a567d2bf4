// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/service.hpp"

#include "daemon/wire/interfaces.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {

void get_info(Call& call) {
  wire::ObjectReader in(call.request.parameters());
  if (in.next()) in.fail();
  if (!in.ok()) return call.invalid(in.wrong());
  call.reply([&](wire::JsonWriter& out) {
    out.key("vendor").string("corund").key("product").string("corund").key("version").string(call.host.version);
    out.key("url").string("https://varlink.org").key("interfaces").begin_array();
    for (const auto& interface : wire::interface_descriptions()) out.string(interface.name);
    out.end_array();
  });
}

void get_interface_description(Call& call) {
  std::string name;
  wire::ObjectReader in(call.request.parameters());
  while (in.next())
    if (in.key() == "interface")
      in.read(name);
    else
      in.fail();
  if (name.empty()) in.fail("interface");
  if (!in.ok()) return call.invalid(in.wrong());
  std::string_view text = wire::interface_description(name);
  if (text.empty()) return call.error(wire::errors::InterfaceNotFound{name});
  call.reply([&](wire::JsonWriter& out) { out.key("description").string(text); });
}

}  // namespace corund::serve::methods
