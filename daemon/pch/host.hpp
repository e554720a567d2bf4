// SPDX-License-Identifier: MIT
// What nearly every source of the host includes: parsed once a build.
#pragma once
#include <algorithm>
#include <chrono>
#include <corun/corun.hpp>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
