// SPDX-License-Identifier: MIT
// Who is at the other end, as the kernel says: never what is written on the wire, never a name service. What they may do is access.hpp's.
#pragma once

#include <sys/types.h>

#include <vector>

namespace corund::serve {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones, at the time of the connection
};

// Of a connected Unix socket. Errors: std::system_error.
Peer peer_of(int socket);

}  // namespace corund::serve
