// SPDX-License-Identifier: MIT
// From a call to the method it names: one table of all methods that the interfaces declare.
#pragma once

#include <span>
#include <string_view>

#include "daemon/serve/call.hpp"

namespace corund::serve {

struct Method {
  std::string_view name;  // in full: "io.corund.Jobs.Run"
  Need need;              // of its caller; whoever has less gets PermissionDenied, whatever the parameters are
  void (*answer)(Call&);
  bool requires_more = false;
};

// All of them, as the .varlink files have them.
std::span<const Method> method_table() noexcept;

// Lets the method answer the call, where its caller has what it needs. What it throws is not the peer's fault.
void dispatch(Call& call);

}  // namespace corund::serve
