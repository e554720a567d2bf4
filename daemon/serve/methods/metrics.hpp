// SPDX-License-Identifier: MIT
// io.corund.Daemon.Metrics: what Status tells, as text for a monitoring system. Source: the OpenMetrics specification, version 1.0.
#pragma once

#include "daemon/serve/call.hpp"

namespace corund::serve::methods {

void metrics(Call& call);

}  // namespace corund::serve::methods
