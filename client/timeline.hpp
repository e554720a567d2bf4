// SPDX-License-Identifier: MIT
// Room: jobs as a picture over time: for each a line with how long it waited, and each of its attempts.
#pragma once

#include "client/render.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace corunctl {

// An SVG document of the jobs (records of the wire, in the order of their lines). now_usec: what has not ended goes on until then.
std::string timeline_svg(const std::vector<Json>& jobs, std::int64_t now_usec);

}  // namespace corunctl
