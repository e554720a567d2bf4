// SPDX-License-Identifier: MIT
// byte_echo SOCKET REQUEST_BYTES REPLY_BYTES: the least that a server on a Unix socket can do. For each REQUEST_BYTES that come in it writes
// REPLY_BYTES, what came together in one write; it looks at none of them. epoll_wait, read, write.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int listen_at(const char* path) {
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (fd < 0 || std::strlen(path) >= sizeof address.sun_path) fail("socket");
  std::strcpy(address.sun_path, path);
  ::unlink(path);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd, 16) != 0) fail(path);
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    ssize_t n = ::write(fd, data, size);
    if (n <= 0) return;
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s SOCKET REQUEST_BYTES REPLY_BYTES\n", argv[0]);
    return 2;
  }
  const std::size_t request = std::strtoul(argv[2], nullptr, 10);
  const std::size_t reply = std::strtoul(argv[3], nullptr, 10);
  if (request == 0 || reply == 0) return 2;
  int listener = listen_at(argv[1]);
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  std::map<int, std::size_t> pending;  // bytes of a request that has not come as a whole
  std::vector<char> in(64 * 1024);
  std::string out;
  for (;;) {
    epoll_event events[64];
    int count = ::epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer >= 0) watch(epoll, peer);
        continue;
      }
      ssize_t n = ::read(fd, in.data(), in.size());
      if (n <= 0) {
        pending.erase(fd);
        ::close(fd);
        continue;
      }
      std::size_t& have = pending[fd];
      have += static_cast<std::size_t>(n);
      std::size_t due = have / request * reply;
      have %= request;
      if (out.size() < due) out.resize(due, 'x');
      write_all(fd, out.data(), due);
    }
  }
}
