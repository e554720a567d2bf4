// SPDX-License-Identifier: MIT
#include "daemon/sd/turn_away.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/catch.hpp"

using corun::UniqueFd;

namespace {

// A socket with a name that the kernel chooses, in its abstract space.
struct Listener {
  UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_un address{};
  socklen_t size = sizeof(sa_family_t);

  Listener() {
    address.sun_family = AF_UNIX;
    REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd.get(), 16) == 0);
    size = sizeof address;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  }
  UniqueFd caller() const {
    UniqueFd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    return peer;
  }
};

}  // namespace

TEST_CASE("callers who wait are sent away, also when whoever took the socket has closed it") {
  Listener listener;
  corund::sd::WaitingCallers waiting;
  waiting.watch(listener.fd.get());
  UniqueFd first = listener.caller(), second = listener.caller();
  listener.fd.reset();
  CHECK(waiting.turn_away() == 2);
  for (const UniqueFd* caller : {&first, &second}) {
    char byte;
    CHECK(::read(caller->get(), &byte, 1) == 0);
  }
  CHECK(waiting.turn_away() == 0);
}
