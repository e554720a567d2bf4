// SPDX-License-Identifier: MIT
#include "daemon/serve/methods/filter.hpp"

#include <algorithm>

#include "daemon/job/kind.hpp"

namespace corund::serve::methods {
namespace {

void read_states(wire::ObjectReader& in, std::vector<job::State>& out) {
  in.read_array([&](wire::ObjectReader& elements) {
    std::string name;
    if (!elements.read(name)) return;
    auto state = job::parse_state(name);
    if (state)
      out.push_back(*state);
    else
      elements.fail();
  });
}

}  // namespace

bool Filter::takes(const job::Job& job) const {
  auto holds = [](const auto& set, const auto& value) { return set.empty() || std::ranges::find(set, value) != set.end(); };
  if (!holds(states, job.state) || !holds(kinds, job.spec.kind->name) || !holds(groups, job.spec.group)) return false;
  if ((since_us && job.submitted_us < *since_us) || (until_us && job.submitted_us > *until_us)) return false;
  return std::ranges::all_of(labels, [&](const auto& label) {
    return std::ranges::any_of(job.spec.labels(), [&](const auto& own) {
      return own.first == label.first && own.second == label.second;
    });
  });
}

bool Filter::asks_nothing() const noexcept {
  return states.empty() && kinds.empty() && groups.empty() && labels.empty() && !since_us && !until_us;
}

bool read_filter(wire::ObjectReader& in, Filter& out) {
  const std::string_view key = in.key();
  auto strings = [&](std::vector<std::string>& list) {
    if (!in.is_null()) in.read(list);
  };
  if (key == "states")
    read_states(in, out.states);
  else if (key == "kinds")
    strings(out.kinds);
  else if (key == "groups")
    strings(out.groups);
  else if (key == "labels")
    in.is_null() || in.read(out.labels);
  else if (key == "untilUSec")
    in.read(out.until_us);
  else
    return false;
  return true;
}

}  // namespace corund::serve::methods
