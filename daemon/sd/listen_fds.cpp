// SPDX-License-Identifier: MIT
// The name says what a socket is for, its type is checked before anybody believes it.
#include "daemon/sd/listen_fds.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace corund::sd {
namespace {

// "varlink" is what our units and varlink clients say; the others are what systemd says where nobody named the socket.
constexpr std::array<std::string_view, 4> known_names = {"varlink", "corund.socket", "connection", "unknown"};

std::string bound_path(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (size <= offsetof(sockaddr_un, sun_path)) return {};
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  if (address.sun_path[0] == '\0') return "@" + std::string(address.sun_path + 1, length - 1);
  return std::string(address.sun_path, ::strnlen(address.sun_path, length));
}

void take(int number, std::string name, PassedSockets& sockets) {
  corun::UniqueFd fd(number);
  const auto refuse = [&](const char* why) { sockets.refused.push_back((name.empty() ? "?" : name) + ": " + why); };
  const bool is_kept = name == kept_name;
  if (!is_kept && std::find(known_names.begin(), known_names.end(), name) == known_names.end()) return refuse("no socket of that name is known");
  if (::sd_is_socket_unix(number, SOCK_STREAM, -1, nullptr, 0) <= 0) return refuse("is no Unix stream socket");
  const int flags = ::fcntl(number, F_GETFL);
  if (flags < 0 || ::fcntl(number, F_SETFL, flags | O_NONBLOCK) != 0) return refuse(std::strerror(errno));
  const bool listening = ::sd_is_socket_unix(number, SOCK_STREAM, 1, nullptr, 0) > 0;
  if (is_kept && !listening) return refuse("does not listen");
  auto& into = is_kept ? sockets.kept : listening ? sockets.listeners : sockets.connections;
  std::string path = listening ? bound_path(number) : "";
  into.push_back({std::move(fd), std::move(name), std::move(path)});
}

}  // namespace

PassedSockets take_listen_fds() {
  PassedSockets sockets;
  char** names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &names);
  if (count < 0) sockets.refused.push_back("LISTEN_FDS: " + std::string(std::strerror(-count)));
  for (int i = 0; i < count; ++i) {
    take(SD_LISTEN_FDS_START + i, names && names[i] ? names[i] : "", sockets);
    if (names) std::free(names[i]);
  }
  std::free(names);
  return sockets;
}

ListenVariable take_listen_variable() {
  ListenVariable asked;
  const char* value = ::secure_getenv("SYSTEMD_VARLINK_LISTEN");
  const std::string text = value ? value : "";
  ::unsetenv("SYSTEMD_VARLINK_LISTEN");
  asked.is_stdio = text == "-";
  if (asked.is_stdio || text.empty()) return asked;
  if (text.front() != '/')
    throw std::system_error(EINVAL, std::generic_category(), "SYSTEMD_VARLINK_LISTEN is '" + text + "', neither an absolute path nor '-'");
  asked.path = text;
  return asked;
}

}  // namespace corund::sd
