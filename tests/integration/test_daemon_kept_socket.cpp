// SPDX-License-Identifier: MIT
// The daemon's own socket over a restart, where a service manager keeps descriptors: played by the test, which gets the socket by SCM_RIGHTS and
// passes it to the next daemon.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <corun/base/unique_fd.hpp>
#include <cstring>
#include <filesystem>

#include "integration/private_daemon.hpp"
#include "integration/socket_client.hpp"
#include "support/catch.hpp"

using tests::error_of;
using tests::exited;
using tests::PrivateDaemon;
using tests::SocketClient;

namespace {

class KeepingManager {
 public:
  explicit KeepingManager(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }

  // Reads up to READY=1; what it is given to keep meanwhile is kept.
  void read_until_ready() {
    for (;;) {
      pollfd event{fd_.get(), POLLIN, 0};
      REQUIRE(::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(tests::patience).count())) == 1);
      char bytes[4096];
      iovec part{bytes, sizeof bytes};
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t n = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
      REQUIRE(n > 0);
      const std::string text(bytes, static_cast<std::size_t>(n));
      const cmsghdr* const header = CMSG_FIRSTHDR(&message);
      if (header && header->cmsg_type == SCM_RIGHTS) {
        int passed = -1;
        std::memcpy(&passed, CMSG_DATA(header), sizeof passed);
        kept.reset(passed);
        CHECK(text == "FDSTORE=1\nFDNAME=corund-own");
      }
      if (text == "FDSTOREREMOVE=1\nFDNAME=corund-own") {
        kept.reset();
        ++removals;
      }
      if (text.starts_with("READY=1")) return;
    }
  }

  corun::UniqueFd kept;
  int removals = 0;

 private:
  corun::UniqueFd fd_;
};

struct Service {
  tests::TempDir directory;
  std::string socket = directory / "s";
  KeepingManager manager{directory / "notify"};

  // Its next process.
  tests::PrivateOptions options(bool keeps = true) {
    tests::PrivateOptions made;
    made.arguments = {"--socket", socket, "--state", ":memory:"};
    made.environment = {{"NOTIFY_SOCKET", directory / "notify"}};
    if (keeps) made.environment.emplace_back("FDSTORE", "4");
    made.passed = manager.kept ? manager.kept.get() : -1;
    made.passed_name = "corund-own";
    return made;
  }
};

}  // namespace

TEST_CASE("a restart refuses no client where the manager keeps the daemon's own socket") {
  for (const int end : {SIGTERM, SIGKILL}) {
    Service service;
    {
      PrivateDaemon first(service.options());
      service.manager.read_until_ready();
      REQUIRE(service.manager.kept);
      REQUIRE(::kill(first.pid(), end) == 0);
      CHECK(first.wait() == (end == SIGTERM ? exited(0) : tests::killed_by(SIGKILL)));
    }
    SocketClient between(service.socket);
    between.call("io.corund.Jobs.Run", {{"kind", "echo"}, {"args", {{"x", 1}}}});
    PrivateDaemon second(service.options());
    service.manager.read_until_ready();
    CHECK(between.reply()["parameters"]["result"]["x"] == 1);
    CHECK(error_of(SocketClient(service.socket).run("echo")) == "");
    CHECK(service.manager.removals == 0);
  }
}

TEST_CASE("where no manager keeps it, the own socket goes with the daemon, and a kept one is used once more all the same") {
  Service service;
  {
    PrivateDaemon first(service.options());
    service.manager.read_until_ready();
    ::kill(first.pid(), SIGTERM);
    CHECK(first.wait() == exited(0));
  }
  CHECK(std::filesystem::exists(service.socket));
  {
    PrivateDaemon second(service.options(false));
    service.manager.read_until_ready();
    CHECK(error_of(SocketClient(service.socket).run("echo")) == "");
    ::kill(second.pid(), SIGTERM);
    CHECK(second.wait() == exited(0));
  }
  CHECK_FALSE(std::filesystem::exists(service.socket));
}

TEST_CASE("a kept socket that the daemon is not to listen at any more is taken out of the manager's store") {
  Service service;
  {
    PrivateDaemon first(service.options());
    service.manager.read_until_ready();
    ::kill(first.pid(), SIGTERM);
    first.wait();
  }
  const std::string former = std::exchange(service.socket, service.directory / "elsewhere");
  {
    PrivateDaemon second(service.options());
    service.manager.read_until_ready();
    CHECK(service.manager.removals == 1);
    CHECK(service.manager.kept);
    CHECK(error_of(SocketClient(service.socket).run("echo")) == "");
    ::kill(second.pid(), SIGTERM);
    second.wait();
  }
  // Its path was taken away by hand: who is kept there is found by nobody.
  std::filesystem::remove(service.socket);
  PrivateDaemon third(service.options());
  service.manager.read_until_ready();
  CHECK(service.manager.removals == 2);
  CHECK(error_of(SocketClient(service.socket).run("echo")) == "");
}
