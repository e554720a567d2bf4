// SPDX-License-Identifier: MIT
#include "daemon/sd/record.hpp"
#include "daemon/wire/reply.hpp"  // expect: include
#include "daemon/kinds/exec.hpp"  // expect: include
