// SPDX-License-Identifier: MIT
#include "daemon/serve/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <corun/base/unique_fd.hpp>
#include <system_error>

#include "support/catch.hpp"

using namespace corund::serve;

TEST_CASE("the kernel says who the peer is") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  corun::UniqueFd one(ends[0]), other(ends[1]);
  const Peer peer = peer_of(one.get());
  CHECK(peer.pid == ::getpid());
  CHECK(peer.uid == ::geteuid());
  CHECK(peer.gid == ::getegid());
  CHECK_THROWS_AS(peer_of(-1), std::system_error);
}
