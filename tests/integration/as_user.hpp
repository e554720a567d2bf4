// SPDX-License-Identifier: MIT
// Under other ids, for the connections that are made then: the kernel remembers whose they are. Only root can.
#pragma once

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

#include <vector>

#include "support/catch.hpp"

namespace tests {

class AsUser {
 public:
  // The group has the same number. groups: supplementary ones.
  explicit AsUser(uid_t user, const std::vector<gid_t>& groups = {}) : group_(::getegid()), groups_(groups_now()) {
    REQUIRE(::setgroups(groups.size(), groups.data()) == 0);
    REQUIRE(::setegid(user) == 0);
    REQUIRE(::seteuid(user) == 0);
  }
  ~AsUser() { (void)!(::seteuid(0) == 0 && ::setegid(group_) == 0 && ::setgroups(groups_.size(), groups_.data()) == 0); }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;

 private:
  static std::vector<gid_t> groups_now() {
    std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
    (void)!::getgroups(static_cast<int>(groups.size()), groups.data());
    return groups;
  }
  gid_t group_;
  std::vector<gid_t> groups_;
};

}  // namespace tests
