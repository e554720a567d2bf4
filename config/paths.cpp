// SPDX-License-Identifier: MIT
#include "config/paths.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace corund::config {
namespace {

constexpr const char* system_socket = "/run/corund/corund.sock";

// A variable's value; an empty one counts as unset.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// The XDG specification: a path that is not absolute is ignored.
std::string xdg(const char* name, const std::string& fallback) {
  std::string value = environment(name);
  return value.starts_with('/') ? value : fallback;
}

std::string home() {
  std::string value = environment("HOME");
  if (value.starts_with('/')) return value;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry && entry->pw_dir ? entry->pw_dir : "/";
}

std::string user_runtime() { return xdg("XDG_RUNTIME_DIR", "/run/user/" + std::to_string(::geteuid())); }

// systemd.exec(5): several directories are separated by colons.
std::string first_of(const std::string& list) { return list.substr(0, list.find(':')); }

// Where the system's service manager makes a unit's directories. The same of a user's manager lie below the user's own.
bool is_system_place(const std::string& path) {
  return path.starts_with("/var/lib/") || path.starts_with("/etc/") || (path.starts_with("/run/") && !path.starts_with("/run/user/"));
}

bool is_run_by_system_manager() {
  if (!environment("MANAGERPID").empty()) return false;
  return environment("SYSTEMD_EXEC_PID") == std::to_string(::getpid()) || is_system_place(environment("STATE_DIRECTORY")) ||
         is_system_place(environment("RUNTIME_DIRECTORY")) || is_system_place(environment("CONFIGURATION_DIRECTORY"));
}

}  // namespace

std::string default_socket_path() {
  if (std::string path = environment("CORUND_SOCKET"); !path.empty()) return path;
  if (::geteuid() == 0) return system_socket;
  return user_runtime() + "/corund/corund.sock";
}

std::vector<std::string> client_socket_paths() {
  std::vector<std::string> paths{default_socket_path()};
  if (environment("CORUND_SOCKET").empty() && paths.front() != system_socket) paths.emplace_back(system_socket);
  return paths;
}

std::string state_directory() {
  if (std::string path = first_of(environment("STATE_DIRECTORY")); !path.empty()) return path;
  if (::geteuid() == 0) return "/var/lib/corund";
  return xdg("XDG_STATE_HOME", home() + "/.local/state") + "/corund";
}

std::string runtime_directory() {
  if (std::string path = first_of(environment("RUNTIME_DIRECTORY")); !path.empty()) return path;
  if (::geteuid() == 0) return "/run/corund-daemon";
  return user_runtime() + "/corund-daemon";
}

std::string configuration_directory() { return first_of(environment("CONFIGURATION_DIRECTORY")); }

bool is_users_own() { return ::geteuid() != 0 && !is_run_by_system_manager(); }

std::string user_config_path() { return xdg("XDG_CONFIG_HOME", home() + "/.config") + "/corund/corund.toml"; }

}  // namespace corund::config
