// SPDX-License-Identifier: MIT
// The version that the build gave this daemon.
#pragma once

#include <string_view>

namespace corund {

inline constexpr std::string_view version = CORUND_VERSION;

}  // namespace corund
