// SPDX-License-Identifier: MIT
// Which jobs a query means: the parameters that List and Remove share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/job/job.hpp"
#include "daemon/wire/object.hpp"

namespace corund::serve::methods {

// Empty members ask nothing.
struct Filter {
  std::vector<job::State> states;
  std::vector<std::string> kinds;
  std::vector<std::string> groups;
  std::map<std::string, std::string> labels;
  std::optional<std::int64_t> since_us;
  std::optional<std::int64_t> until_us;

  bool takes(const job::Job& job) const;
  bool asks_nothing() const noexcept;
};

// Takes the current member where it is one of a filter's (but sinceUSec); false: it is none.
bool read_filter(wire::ObjectReader& in, Filter& out);

}  // namespace corund::serve::methods
