// SPDX-License-Identifier: MIT
#pragma once
#include "catch.hpp"
#include <corun/corun.hpp>
#include <nlohmann/json.hpp>
