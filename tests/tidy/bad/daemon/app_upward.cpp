// SPDX-License-Identifier: MIT
#include "daemon/serve/listener.hpp"
#include "client/output.hpp"  // expect: include
