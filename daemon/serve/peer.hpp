// SPDX-License-Identifier: MIT
// Who is at the other end, as the kernel says: never what is written on the wire, never a name service. And what they may do.
#pragma once

#include <sys/types.h>

#include <vector>

namespace corund::job {
struct Job;
}

namespace corund::serve {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones, at the time of the connection
};

// Of a connected Unix socket. Errors: std::system_error.
Peer peer_of(int socket);

// Root; and the daemon's own user, unless the daemon is the system's: there jobs run as it and must not become admin by the socket.
bool is_admin(const Peer& peer) noexcept;
// Whether the peer may see the job, and cancel it.
bool may_see(const Peer& peer, const job::Job& job) noexcept;
// The same of a job of that owner's.
bool may_see(const Peer& peer, uid_t owner) noexcept;

}  // namespace corund::serve
