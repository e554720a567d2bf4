// SPDX-License-Identifier: MIT
#include "daemon/wire/frame.hpp"
#include "daemon/job/spec.hpp"  // expect: include
#include <corun/task/task.hpp>  // expect: include
