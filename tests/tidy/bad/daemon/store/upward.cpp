// SPDX-License-Identifier: MIT
#include <sqlite3.h>
#include "daemon/run/supervisor.hpp"  // expect: include
