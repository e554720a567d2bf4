// SPDX-License-Identifier: MIT
#include "daemon/serve/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <corun/base/unique_fd.hpp>
#include <system_error>

#include "daemon/job/table.hpp"
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

TEST_CASE("root sees every job, others their own") {
  corund::job::Table table;
  corund::job::Job& job = table.add(1);
  job.spec.owner = 4242;
  CHECK(is_admin({.uid = 0}));
  CHECK(may_see({.uid = 0}, job));
  CHECK(may_see({.uid = 4242}, job));
  CHECK_FALSE(may_see({.uid = 4243}, job));
}
