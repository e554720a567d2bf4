// SPDX-License-Identifier: MIT
#include <toml++/toml.h>
#include "daemon/app.hpp"  // expect: include
