// SPDX-License-Identifier: MIT
#include "daemon/kinds/lines.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using corund::kinds::LineSplitter;
using corund::kinds::Tail;

namespace {

using Lines = std::vector<std::string>;

// The lines of a text that comes in pieces of this size.
Lines lines_of(const std::string& text, std::size_t piece, std::size_t limit = 10) {
  LineSplitter splitter(limit);
  Lines lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  for (std::size_t at = 0; at < text.size(); at += piece) splitter.feed(std::string_view(text).substr(at, piece), keep);
  splitter.finish(keep);
  return lines;
}

}  // namespace

TEST_CASE("a text is the same lines whatever pieces it comes in") {
  const std::vector<std::pair<std::string, Lines>> table = {
      {"", {}},
      {"one\ntwo\n", {"one", "two"}},
      {"one\ntwo", {"one", "two"}},
      {"\n\n", {"", ""}},
      {"a\r\nb\rc\r\n", {"a", "b\rc"}},
      {"0123456789\n", {"0123456789"}},
      {"0123456789abc\n", {"0123456789", "abc"}},
      {"0123456789abcdefghij\nx\n", {"0123456789", "abcdefghij", "x"}},
      {"0123456789abcdefghijk", {"0123456789", "abcdefghij", "k"}},
      {"0123456789abcdefghij\n\n", {"0123456789", "abcdefghij", ""}},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
  };
  for (const auto& [text, expected] : table)
    for (std::size_t piece : {1, 2, 3, 7, 100}) {
      INFO(text << " in pieces of " << piece);
      CHECK(lines_of(text, piece) == expected);
    }
}

TEST_CASE("a long line is cut where a character begins, and anywhere when it is no text") {
  const std::string a = "\xC3\xA4";  // two bytes each
  CHECK(lines_of("x" + a + a + a + a + a + a + "\n", 100) == Lines{"x" + a + a + a + a, a + a});
  CHECK(lines_of("12345678\xF0\x9F\x8E\x89y\n", 100) == Lines{"12345678", "\xF0\x9F\x8E\x89y"});
  CHECK(lines_of(std::string(25, '\x80') + "\n", 100) ==
        Lines{std::string(10, '\x80'), std::string(10, '\x80'), std::string(5, '\x80')});
}

TEST_CASE("a tail is the last bytes, from the beginning of a character on") {
  Tail tail(10);
  CHECK(tail.view().empty());
  tail.add("0123");
  CHECK(tail.view() == "0123");
  for (int i = 0; i < 100; ++i) tail.add("abc");
  CHECK(tail.view() == "cabcabcabc");
  tail.add("a text longer than it all: 0123456789");
  CHECK(tail.view() == "0123456789");
  tail.add("\xC3\xA4" "23456789x");
  CHECK(tail.view() == "23456789x");
  Tail none(0);
  none.add("x");
  CHECK(none.view().empty());
}

TEST_CASE("no more lines are given out than asked for, and what is left is told") {
  LineSplitter splitter(10);
  std::vector<std::string> lines;
  const auto emit = [&](std::string_view line) { lines.emplace_back(line); };
  std::string_view rest = splitter.feed("a\nb\nc\nd", emit, 2);
  CHECK(lines == std::vector<std::string>{"a", "b"});
  CHECK(rest == "c\nd");
  rest = splitter.feed(rest, emit, 2);
  CHECK(rest.empty());
  CHECK(lines.back() == "c");
  splitter.finish(emit);
  CHECK(lines.back() == "d");
}
