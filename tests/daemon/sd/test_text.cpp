// SPDX-License-Identifier: MIT
#include "daemon/sd/text.hpp"

#include "support/catch.hpp"

using corund::sd::one_line;

TEST_CASE("well-formed text passes, control characters become spaces, other bytes the replacement character") {
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(one_line("", 10).empty());
  CHECK(one_line("gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x8E\x89 \xE2\x82\xAC", 100) == "gr\xC3\xBC\xC3\x9F dich \xF0\x9F\x8E\x89 \xE2\x82\xAC");
  CHECK(one_line("a\r\n\tb\x7f", 100) == "a   b ");
  CHECK(one_line(std::string_view("a\0b", 3), 100) == "a b");
  CHECK(one_line("\xC0\x80", 100) == bad + bad);                      // overlong
  CHECK(one_line("\xED\xA0\x80", 100) == bad + bad + bad);            // a surrogate
  CHECK(one_line("\xF4\x90\x80\x80", 100) == bad + bad + bad + bad);  // past U+10FFFF
  CHECK(one_line("\xE2\x82", 100) == bad + bad);                      // cut off
  CHECK(one_line("\x80", 100) == bad);
}

TEST_CASE("a text is cut before the character that does not fit") {
  CHECK(one_line("abc", 2) == "ab");
  CHECK(one_line("a\xC3\xBC", 2) == "a");
  CHECK(one_line("\xff", 2).empty());
  CHECK(one_line("abc", 0).empty());
}
