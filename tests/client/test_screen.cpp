// SPDX-License-Identifier: MIT
#include "client/screen.hpp"

#include "support/catch.hpp"

TEST_CASE("a line is cut where the terminal ends, between characters") {
  using corunctl::clipped;
  CHECK(clipped("abc", 5) == "abc");
  CHECK(clipped("abc", 3) == "abc");
  CHECK(clipped("abc", 2) == "ab");
  CHECK(clipped("gr\xc3\xbc\xc3\x9f", 3) == "gr\xc3\xbc");
  CHECK(clipped("abc", 0) == "");
  CHECK(clipped("", 3) == "");
}
