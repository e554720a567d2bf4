// SPDX-License-Identifier: MIT
#include "daemon/serve/peer.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace corund::serve {

Peer peer_of(int socket) {
  struct ucred credentials {};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "SO_PEERCRED");
  Peer peer{credentials.pid, credentials.uid, credentials.gid, {}};
  peer.groups.resize(32);
  for (;;) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) == 0) {
      peer.groups.resize(size / sizeof(gid_t));
      peer.groups.shrink_to_fit();
      return peer;
    }
    if (errno != ERANGE || size / sizeof(gid_t) <= peer.groups.size()) {
      peer.groups.clear();  // a kernel without it: the primary group is all that is known
      return peer;
    }
    peer.groups.resize(size / sizeof(gid_t));
  }
}

}  // namespace corund::serve
