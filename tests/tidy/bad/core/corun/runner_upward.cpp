// SPDX-License-Identifier: MIT
#include <corun/thread/executor.hpp>
#include <nlohmann/json.hpp>  // expect: include
