// SPDX-License-Identifier: MIT
// The kind `sleep`: waits on the loop. For trying limits, timeouts and cancellation.
#pragma once

#include <corund/plugin.hpp>

namespace corund::kinds {

void add_sleep(KindRegistry& registry);

}  // namespace corund::kinds
