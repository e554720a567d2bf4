// SPDX-License-Identifier: MIT
// byte_echo SOCKET REQUEST_BYTES REPLY_BYTES: the least that a server on a Unix socket can do. For each REQUEST_BYTES that come in it writes
// REPLY_BYTES, what came together in one write; it looks at none of them. epoll_wait, read, write.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "bench/unix_socket.hpp"

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
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
  int listener = bench::listen_at(argv[1]);
  if (listener < 0) fail(argv[1]);
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (bench::watch(epoll, listener) != 0) fail("epoll_ctl");
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
        if (peer >= 0) bench::watch(epoll, peer);
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
