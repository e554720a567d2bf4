// SPDX-License-Identifier: MIT
#include <corun/task/future.hpp>
#include <corun/thread/executor.hpp>  // expect: include
