// SPDX-License-Identifier: MIT
// What differs between the configuration in force and one that was read again, and which of it a daemon that runs can take. Every key is
// in one list with that answer; a test holds the list against the schema's.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace corund::config {

// Dotted names of keys, in the schema's order.
struct Changes {
  std::vector<std::string> changed;        // in force from now on
  std::vector<std::string> needs_restart;  // as before until the next start
  // Whether a key is in force anew, resp. one of a table ("groups.").
  bool has(const std::string& key) const;
  bool has_any(const std::string& prefix) const;
  bool operator==(const Changes&) const = default;
};

// Lays `read` over `in_force`, but for what needs a restart: that stays as it is, so that a further reload names it again.
Changes take_over(Config& in_force, const Config& read);

// The list's names, but for those of groups and of kinds.
std::vector<std::string> known_keys();
// Whether the daemon has to be started again for it to count. Of groups and kinds: no.
bool needs_restart(const std::string& key);

}  // namespace corund::config
