// SPDX-License-Identifier: MIT
#include <vector>
#pragma once  // expect: guard
