// SPDX-License-Identifier: MIT
// How the daemon itself is set: io.corund.Daemon.Reload and SetLogLevel. For administrators.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void reload(Call& call);
void set_log_level(Call& call);

}  // namespace corund::serve::methods
