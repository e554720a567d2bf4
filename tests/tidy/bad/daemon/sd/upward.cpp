// SPDX-License-Identifier: MIT
#include <systemd/sd-daemon.h>
#include "daemon/job/spec.hpp"  // expect: include
