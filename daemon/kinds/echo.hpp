// SPDX-License-Identifier: MIT
// The kind `echo`: returns its args. For trying things, and for measuring what a job costs when it does nothing.
#pragma once

#include <corund/plugin.hpp>

namespace corund::kinds {

void add_echo(KindRegistry& registry);

}  // namespace corund::kinds
