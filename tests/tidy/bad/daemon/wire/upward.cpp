// SPDX-License-Identifier: MIT
#include <corun/base/result.hpp>
#include <corun/task/task.hpp>  // expect: include
#include "daemon/job/spec.hpp"  // expect: include
