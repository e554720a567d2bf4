// SPDX-License-Identifier: MIT
#include <vector>  // expect: own-header
#include "client/own.hpp"
