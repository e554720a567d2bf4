// SPDX-License-Identifier: MIT
// How the daemon itself is set: io.corund.Daemon.Reload and SetLogLevel, the latter io.systemd.service's as well. For administrators.
#pragma once

#include <optional>

#include "config/changes.hpp"
#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

// What a Reload of either interface does: without parameters, for administrators. The changes that the caller is still to be told;
// nothing where the call was answered with an error.
std::optional<config::Changes> reload_for(Call& call);

void reload(Call& call);
void set_log_level(Call& call);

}  // namespace corund::serve::methods
