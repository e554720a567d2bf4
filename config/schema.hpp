// SPDX-License-Identifier: MIT
// Every key of corund.toml, in one list: its dotted name, and how a TOML value becomes the Config's member. Private to config/,
// but for the tests, which compare the list with the shipped file and with the manual.
#pragma once

#include <functional>
#include <string>
#include <toml++/toml.h>
#include <vector>

#include "config/config.hpp"

namespace corund::config {

// Takes a reason and the node to blame for it.
using Complain = std::function<void(const toml::node&, std::string)>;

struct Key {
  std::string name;
  std::function<void(const toml::node&, const Complain&)> read;  // leaves the member as it was when it complains
};

// The keys that write into `config`, which must outlive them; `groups` and `kinds` name the groups, and the kinds with an access list,
// whose keys are wanted.
std::vector<Key> keys_of(Config& config, const std::vector<std::string>& groups, const std::vector<std::string>& kinds = {});

// The known name that `name` was most likely meant to be, or nothing.
std::string suggestion(const std::string& name, const std::vector<Key>& keys);

}  // namespace corund::config
