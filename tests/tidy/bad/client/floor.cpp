// SPDX-License-Identifier: MIT
#include "frame.hpp"  // expect: floor
#include <daemon/wire/frame.hpp>  // expect: floor
#include "corun/base/result.hpp"  // expect: floor
