// SPDX-License-Identifier: MIT
#include <corun/runner.hpp>
#include "daemon/job/spec.hpp"  // expect: include
