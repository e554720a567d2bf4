// SPDX-License-Identifier: MIT
// org.varlink.service: what this service is and which interfaces it has. Source: varlink.org/Service.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void get_info(Call& call);
void get_interface_description(Call& call);

}  // namespace corund::serve::methods
