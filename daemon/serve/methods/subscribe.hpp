// SPDX-License-Identifier: MIT
// io.corund.Daemon.Subscribe: the changes of all jobs that the peer may see, from the call on until one of both ends goes.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void subscribe(Call& call);

}  // namespace corund::serve::methods
