// SPDX-License-Identifier: MIT
// How whoever starts the process says where it is to be reached: sockets that the service manager, or a varlink client that starts its own
// server, passes in, and an address in the environment. Source: sd_listen_fds(3); systemd's ENVIRONMENT.md for $SYSTEMD_VARLINK_LISTEN.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <string>
#include <vector>

namespace corund::sd {

struct PassedSocket {
  corun::UniqueFd fd;  // close-on-exec and non-blocking
  std::string name;
  std::string path;    // what a listener is bound to; empty for a connection or an unnamed socket
};

// What this daemon's own listening sockets are called while the manager keeps them.
inline constexpr const char* kept_name = "corund-own";

struct PassedSockets {
  std::vector<PassedSocket> listeners;    // to accept from; never to shut down, and their paths never to unlink: the manager owns them
  std::vector<PassedSocket> connections;  // a peer's, connected (`varlinkctl exec:`, Accept=yes)
  std::vector<PassedSocket> kept;         // listening sockets that a former process of the service bound itself, and left with the manager
  std::vector<std::string> refused;       // closed: "name: why", one each
};

// Takes what was passed to this process and removes the variables LISTEN_*, so that it can be asked once, and children get nothing. A socket that is no Unix
// stream, or of a name that is not ours, is refused. Before any thread is started, since it changes the environment.
PassedSockets take_listen_fds();

// What $SYSTEMD_VARLINK_LISTEN asks for, beside whatever the process listens at otherwise.
struct ListenVariable {
  std::string path;       // listen there too; empty: it does not ask for that
  bool is_stdio = false;  // "-": stdin and stdout are one connection
};

// Reads the variable and removes it. Before any thread is started. Errors: std::system_error (EINVAL), where it is neither "-" nor an absolute path.
ListenVariable take_listen_variable();

}  // namespace corund::sd
