// SPDX-License-Identifier: MIT
// io.corund.Jobs.Logs: what a job wrote and what was said about it, so far or as long as it goes on.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void logs(Call& call);

}  // namespace corund::serve::methods
