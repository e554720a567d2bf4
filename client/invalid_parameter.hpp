// SPDX-License-Identifier: MIT
// Room: what is wrong with a parameter that the daemon did not take, in words. Its error has the parameter's path and nothing else, so the rest is told
// from the method that was called. Other errors are advice's.
#pragma once

#include <string>
#include <string_view>

namespace corunctl {

// A sentence or two for InvalidParameter. method: its full name, "io.corund.Jobs.Submit"; empty where it is not known.
std::string explain_invalid(std::string_view method, std::string_view parameter);

}  // namespace corunctl
