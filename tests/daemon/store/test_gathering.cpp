// SPDX-License-Identifier: MIT
#include "daemon/store/gathering.hpp"

#include "support/catch.hpp"

using corund::store::Gathering;
using namespace std::chrono_literals;

TEST_CASE("a batch waits for those that the latest commit has answered, and for no others", "[store]") {
  Gathering gathering;
  const corun::time_point now{1h};
  CHECK_FALSE(gathering.expects_more(0, now));

  gathering.committed(3, 1, 100us, now);
  CHECK(gathering.expects_more(1, now));
  CHECK(gathering.expects_more(3, now + 199us));
  CHECK_FALSE(gathering.expects_more(4, now));
  CHECK(gathering.until() == now + 200us);
  CHECK_FALSE(gathering.expects_more(3, gathering.until()));

  gathering.committed(1, 0, 100us, now);  // one caller: it is all there is
  CHECK_FALSE(gathering.expects_more(0, now));
  gathering.committed(0, 1, 100us, now);
  CHECK_FALSE(gathering.expects_more(1, now));
}

TEST_CASE("a batch waits no longer than a moment on a slow disk, and not at all where it is large", "[store]") {
  Gathering gathering;
  const corun::time_point now{1h};
  gathering.committed(2, 0, 1s, now);
  CHECK(gathering.until() == now + Gathering::wait_max);
  gathering.committed(Gathering::submissions_max, 0, 100us, now);
  CHECK(gathering.expects_more(0, now));
  gathering.committed(Gathering::submissions_max, 1, 100us, now);
  CHECK_FALSE(gathering.expects_more(1, now));
}
