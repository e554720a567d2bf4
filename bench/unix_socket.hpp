// SPDX-License-Identifier: MIT
// Unix stream sockets and epoll, as the benchmarks' servers and loads use them: what fails is an errno and a value below 0.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace bench {

// False: the path is too long.
inline bool set_path(sockaddr_un& address, const std::string& path) {
  if (path.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, false;
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return true;
}

inline int connect_to(const std::string& path) {
  sockaddr_un address{};
  if (!set_path(address, path)) return -1;
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

// In the place of what is there already.
inline int listen_at(const std::string& path) {
  sockaddr_un address{};
  if (!set_path(address, path)) return -1;
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::unlink(path.c_str());
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 128) != 0) return -1;
  return fd;
}

// For input; its events carry the descriptor.
inline int watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace bench
