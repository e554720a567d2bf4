// SPDX-License-Identifier: MIT
// Users and groups as people write them, and their ids. Names are looked up here, while a configuration is read, so that nobody has to
// ask the name service while a peer waits.
#pragma once

#include <corun/base/result.hpp>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace corund::config {

// Adds who is meant: "alice" or "1001", a user; "@ops" or "@27", a group; "*", everybody. An id need not have a name. Errors: a sentence
// on what is wrong, nothing was added then.
// Blocks: on the name service, which may be on the network.
corun::Result<void, std::string> add_account(Accounts& to, std::string_view text);

}  // namespace corund::config
