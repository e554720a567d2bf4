// SPDX-License-Identifier: MIT
// The protocol speaks of this very process and of descriptor 3, so each case runs in a child of its own.
#include "daemon/sd/listen_fds.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <system_error>

#include "support/catch.hpp"

using namespace corund::sd;

namespace {

int listener(const std::string& path, int type = SOCK_STREAM) {
  int fd = ::socket(AF_UNIX, type, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strcpy(at.sun_path, path.c_str());
  ::unlink(path.c_str());
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return -1;
  if (type == SOCK_STREAM && ::listen(fd, 5) != 0) return -1;
  return fd;
}

// In a child: passes what `make` returns as descriptors 3 and up under these names, and says whether `check` held.
bool with_passed(const char* names, const std::function<std::vector<int>()>& make,
                 const std::function<bool(PassedSockets)>& check, bool for_us = true) {
  pid_t child = ::fork();
  if (child == 0) {
    std::vector<int> fds = make();
    for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD, 100);  // out of the way
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], 3 + static_cast<int>(i));
    ::setenv("LISTEN_PID", std::to_string(::getpid() + (for_us ? 0 : 1)).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    if (names) ::setenv("LISTEN_FDNAMES", names, 1);
    bool good = check(take_listen_fds());
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) good = good && !std::getenv(name);
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0;
}

bool ready_to_use(const PassedSocket& socket) {
  return (::fcntl(socket.fd.get(), F_GETFD) & FD_CLOEXEC) && (::fcntl(socket.fd.get(), F_GETFL) & O_NONBLOCK);
}

const std::string path = "/tmp/corund-listen-" + std::to_string(::getpid());

}  // namespace

TEST_CASE("a listener that is passed in is taken with its name and path, close-on-exec and non-blocking") {
  CHECK(with_passed(
      "varlink", [] { return std::vector<int>{listener(path)}; },
      [](PassedSockets sockets) {
        return sockets.listeners.size() == 1 && sockets.connections.empty() && sockets.refused.empty() &&
               sockets.listeners[0].name == "varlink" && sockets.listeners[0].path == path &&
               sockets.listeners[0].fd.get() == 3 && ready_to_use(sockets.listeners[0]);
      }));
  ::unlink(path.c_str());
}

TEST_CASE("a connected socket is recognised as a peer's connection") {
  CHECK(with_passed(
      "varlink",
      [] {
        int pair[2];
        ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        return std::vector<int>{pair[0]};
      },
      [](PassedSockets sockets) {
        return sockets.listeners.empty() && sockets.connections.size() == 1 && ready_to_use(sockets.connections[0]) &&
               sockets.connections[0].path.empty();
      }));
}

TEST_CASE("sockets without names are taken, sockets of other names or types are refused and closed") {
  CHECK(with_passed(
      nullptr, [] { return std::vector<int>{listener(path)}; },
      [](PassedSockets sockets) { return sockets.listeners.size() == 1; }));
  CHECK(with_passed(
      "stored:varlink:varlink:varlink",
      [] { return std::vector<int>{listener(path), listener(path + "d", SOCK_DGRAM), ::open("/dev/null", O_RDONLY), listener(path + "s")}; },
      [](PassedSockets sockets) {
        return sockets.listeners.size() == 1 && sockets.listeners[0].fd.get() == 6 && sockets.refused.size() == 3 &&
               sockets.refused[0] == "stored: no socket of that name is known" &&
               sockets.refused[1] == "varlink: is no Unix stream socket" && ::fcntl(3, F_GETFD) < 0 && ::fcntl(4, F_GETFD) < 0;
      }));
  for (const char* suffix : {"", "d", "s"}) ::unlink((path + suffix).c_str());
}

TEST_CASE("a listener that a former process of ours left with the manager is told apart") {
  CHECK(with_passed(
      "corund-own:corund-own",
      [] {
        int pair[2];
        ::socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        return std::vector<int>{listener(path), pair[0]};
      },
      [](PassedSockets sockets) {
        return sockets.listeners.empty() && sockets.connections.empty() && sockets.kept.size() == 1 && sockets.kept[0].path == path &&
               sockets.refused == std::vector<std::string>{"corund-own: does not listen"};
      }));
  ::unlink(path.c_str());
}

TEST_CASE("what is meant for another process is left alone, and the variables go all the same") {
  CHECK(with_passed(
      "varlink", [] { return std::vector<int>{listener(path)}; },
      [](PassedSockets sockets) {
        return sockets.listeners.empty() && sockets.refused.empty() && ::fcntl(3, F_GETFD) >= 0;
      },
      false));
  ::unlink(path.c_str());
}

TEST_CASE("the variable asks for a socket more, or for stdin and stdout, and is gone when it was read") {
  const auto asks = [](const char* value) {
    if (value) ::setenv("SYSTEMD_VARLINK_LISTEN", value, 1);
    const ListenVariable asked = take_listen_variable();
    CHECK_FALSE(std::getenv("SYSTEMD_VARLINK_LISTEN"));
    return asked;
  };
  CHECK(asks("/run/x").path == "/run/x");
  CHECK_FALSE(asks("/run/x").is_stdio);
  CHECK(asks("-").is_stdio);
  CHECK(asks("-").path.empty());
  for (const char* value : {static_cast<const char*>(nullptr), ""}) {
    CHECK(asks(value).path.empty());
    CHECK_FALSE(asks(value).is_stdio);
  }
  CHECK_THROWS_AS(asks("relative"), std::system_error);
  CHECK_FALSE(std::getenv("SYSTEMD_VARLINK_LISTEN"));
}
