// SPDX-License-Identifier: MIT
// group_commit SOCKET FILE append|overwrite: the least that a durable queue can do. Calls are a length of
// four bytes (little endian) and as many bytes; what came in one turn of epoll, from all connections, is
// written to FILE in one write with one fdatasync; then each is answered by "+\n". It looks at none of it and
// could not find any of it again. append: the file grows; overwrite: it is made 64 MiB large at the start and
// written round and round, which spares the file system's journal.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/unix_socket.hpp"

namespace {

constexpr std::size_t file_bytes = 64 << 20;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

class Log {
 public:
  Log(const char* path, bool overwrite)
      : fd_(::open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)), overwrite_(overwrite) {
    if (fd_ < 0) fail(path);
    if (!overwrite_) return;
    const std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < file_bytes; at += zeros.size())
      if (::pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) < 0) fail(path);
    if (::fsync(fd_) != 0) fail(path);
  }
  void commit(const std::string& bytes) {
    if (overwrite_ && at_ + bytes.size() > file_bytes) at_ = 0;
    if (::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at_)) !=
        static_cast<ssize_t>(bytes.size()))
      fail("write");
    if (::fdatasync(fd_) != 0) fail("fdatasync");
    at_ += bytes.size();
  }

 private:
  int fd_;
  bool overwrite_;
  std::size_t at_ = 0;
};

// Moves the whole calls of `pending` to `batch`; how many.
std::size_t take_calls(std::string& pending, std::string& batch) {
  std::size_t calls = 0, at = 0;
  for (std::uint32_t size = 0; pending.size() - at >= sizeof size; ++calls) {
    std::memcpy(&size, pending.data() + at, sizeof size);
    if (pending.size() - at - sizeof size < size) break;
    at += sizeof size + size;
  }
  batch.append(pending, 0, at);
  pending.erase(0, at);
  return calls;
}

void answer(int fd, std::size_t calls) {
  std::string text;
  for (std::size_t i = 0; i < calls; ++i) text += "+\n";
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) std::perror("send");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc == 4 ? argv[3] : "";
  if (mode != "append" && mode != "overwrite") {
    std::fprintf(stderr, "usage: %s SOCKET FILE append|overwrite\n", argv[0]);
    return 2;
  }
  Log log(argv[2], mode == "overwrite");
  int listener = bench::listen_at(argv[1]);
  if (listener < 0) fail(argv[1]);
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (bench::watch(epoll, listener) != 0) fail("epoll_ctl");
  std::map<int, std::string> pending;  // a call that has not come as a whole
  std::vector<std::pair<int, std::size_t>> owed;
  std::vector<char> in(64 * 1024);
  std::string batch;
  for (;;) {
    epoll_event events[128];
    int count = ::epoll_wait(epoll, events, 128, -1);
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
      std::string& text = pending[fd];
      text.append(in.data(), static_cast<std::size_t>(n));
      if (std::size_t calls = take_calls(text, batch)) owed.emplace_back(fd, calls);
    }
    if (batch.empty()) continue;
    log.commit(batch);
    for (auto [fd, calls] : owed) answer(fd, calls);
    batch.clear();
    owed.clear();
  }
}
