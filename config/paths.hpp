// SPDX-License-Identifier: MIT
// Where things lie when nobody says: one answer for the daemon and for its client. Reads the environment and the effective uid,
// touches no file.
#pragma once

#include <string>
#include <vector>

namespace corund::config {

// $CORUND_SOCKET; else the system's /run/corund/corund.sock for euid 0; else the user's own
// $XDG_RUNTIME_DIR/corund/corund.sock (/run/user/UID where the variable is not set).
std::string default_socket_path();

// What a client tries, in order: default_socket_path(), then (unless CORUND_SOCKET said which) the system's socket, so that members
// of the group `corund` reach the system's daemon without an option.
std::vector<std::string> client_socket_paths();

// The first directory of $STATE_DIRECTORY; else /var/lib/corund for euid 0; else $XDG_STATE_HOME/corund (~/.local/state/corund).
std::string state_directory();

// The first directory of $RUNTIME_DIRECTORY; else /run/corund-daemon for euid 0; else $XDG_RUNTIME_DIR/corund-daemon. Never the
// socket's directory: systemd removes a service's runtime directory at its stop, and the socket would go with it.
std::string runtime_directory();

// The first directory of $CONFIGURATION_DIRECTORY, which systemd sets for a unit with ConfigurationDirectory=; else empty. The
// system's unit has it: its daemon runs as a user of its own, and reads the system's configuration all the same.
std::string configuration_directory();

// Whether a daemon of this process is its user's own: not root's, and not run by the system's service manager, which may have given it
// any uid (User=, DynamicUser=). That manager is told by what it leaves in the environment: SYSTEMD_EXEC_PID (systemd 248) names this very
// process, or $STATE_DIRECTORY, $RUNTIME_DIRECTORY or $CONFIGURATION_DIRECTORY begins in /var/lib, /run (but not /run/user) or /etc; and
// MANAGERPID is not set, which a user's manager gives its services. Started by anything else, from a shell say, a daemon is its user's own.
bool is_users_own();

// A user's own configuration: $XDG_CONFIG_HOME/corund/corund.toml (~/.config/corund/corund.toml).
std::string user_config_path();

}  // namespace corund::config
