// SPDX-License-Identifier: MIT
#include <corun/sync/event.hpp>  // expect: include
#include <corun/process/process.hpp>  // expect: include
