// SPDX-License-Identifier: MIT
#include <corund/plugin.hpp>
#include "daemon/run/supervisor.hpp"  // expect: include
