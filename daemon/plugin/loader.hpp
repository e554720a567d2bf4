// SPDX-License-Identifier: MIT
// Kinds from shared objects: finds corund-NAME.so in directories, checks that it was built for this daemon, and takes its kinds. A
// plugin that is refused leaves nothing behind. What is loaded is never unloaded.
#pragma once

#include <string>
#include <vector>

#include "daemon/job/registry.hpp"

namespace corund::plugin {

struct Refused {
  std::string file;
  std::string why;  // both sides, where two do not fit
};

struct Loaded {
  std::vector<std::string> files;
  std::vector<Refused> refused;
};

// The plugins of these directories, in the order of their names; of two with the same name the earlier directory's counts. A directory that is
// not there is passed over.
std::vector<std::string> find_plugins(const std::vector<std::string>& directories);

// Loads them all into the registry. Errors: none; what went wrong stands in `refused`. Before any job runs; runs code of the plugins.
Loaded load_plugins(const std::vector<std::string>& directories, job::Registry& registry);

// The build id of the shared object that holds this address, in hexadecimal; empty where it has none.
std::string build_id_of(const void* address);

}  // namespace corund::plugin
