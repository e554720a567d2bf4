// SPDX-License-Identifier: MIT
#include "daemon/wire/frame.hpp"

#include "daemon/wire/scanning.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <set>
#include <string>

using namespace corund::wire;
using namespace std::string_literals;
using tests::scan_in_chunks;
using tests::scan_in_pieces;
using tests::scan_whole;
using Reason = FrameFaultReason;

namespace {

// JSON texts that are frames, whatever their terminator.
const std::vector<std::string> good_texts = {
    R"({})",
    R"({"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1}}})",
    R"({ "a" : [ ] , "b" : { } , "c" : [ [ ] , { } ] })",
    "{\n  \"pretty\": [\n    1,\n    2\n  ],\r\n\t\"more\": true\n}",
    R"({"numbers":[0,-0,1,-1,10,0.5,-0.5,1.25e3,1E+2,1e-2,0e0,0E5,123456789012345678901234567890,1e308,1e-400,1.7976931348623157e308]})",
    R"({"literals":[true,false,null]})",
    R"({"escapes":"\" \\ \/ \b \f \n \r \t \u0041 \u00e9 \u20ac \ud83d\ude00 \uFFFD \u0001"})",
    "{\"utf8\":\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf \xf0\x90\x80\x80 \xe0\xa0\x80 \xc2\x80\"}",
    "{\"clef \xf0\x9d\x84\x9e\":\"\x7f\"}",
    R"({"":""})",
    R"({"\u006dethod":"a.B","x":{"method":1,"method":2}})",
    R"({"quote in a key \"":"backslash at the end \\"})",
    "{\"long\":\"" + std::string(100, 'a') + "\\n" + std::string(33, 'b') + "\xc3\xa9" + std::string(17, 'c') + "\"}",
};

struct BadText {
  std::string bytes;  // with a NUL where the fault lies before the end
  std::size_t offset;
  Reason reason;
};

const std::vector<BadText> bad_texts = {
    // no object
    {"hello\0"s, 0, Reason::not_an_object},
    {"[1]\0"s, 0, Reason::not_an_object},
    {"  \"text\"\0"s, 2, Reason::not_an_object},
    {"1\0"s, 0, Reason::not_an_object},
    {"\xef\xbb\xbf{}\0"s, 0, Reason::not_an_object},  // a byte order mark
    {"}\0"s, 0, Reason::not_an_object},
    // syntax
    {"{a:1}\0"s, 1, Reason::syntax},
    {"{'a':1}\0"s, 1, Reason::syntax},
    {"{\"a\" 1}\0"s, 5, Reason::syntax},
    {"{\"a\":}\0"s, 5, Reason::syntax},
    {"{\"a\":1,}\0"s, 7, Reason::syntax},
    {"{,}\0"s, 1, Reason::syntax},
    {"{\"a\":[1,]}\0"s, 8, Reason::syntax},
    {"{\"a\":[,1]}\0"s, 6, Reason::syntax},
    {"{\"a\":[1 2]}\0"s, 8, Reason::syntax},
    {"{\"a\":[1}\0"s, 7, Reason::syntax},
    {"{\"a\":{\"b\":1]}\0"s, 11, Reason::syntax},
    {"{\"a\":[1:2]}\0"s, 7, Reason::syntax},
    {"{\"a\":tru}\0"s, 8, Reason::syntax},
    {"{\"a\":trux}\0"s, 8, Reason::syntax},
    {"{\"a\":truee}\0"s, 9, Reason::syntax},
    {"{\"a\":nul }\0"s, 8, Reason::syntax},
    {"{\"a\":True}\0"s, 5, Reason::syntax},
    {"{\"a\":NaN}\0"s, 5, Reason::syntax},
    {"{\"a\":Infinity}\0"s, 5, Reason::syntax},
    {"{\"a\":1/*x*/}\0"s, 6, Reason::syntax},
    {"{\"a\":1\v}\0"s, 6, Reason::syntax},
    {"{\"a\":1\xc2\xa0}\0"s, 6, Reason::syntax},  // a no-break space is no white space here
    // numbers
    {"{\"a\":01}\0"s, 6, Reason::invalid_number},
    {"{\"a\":-01}\0"s, 7, Reason::invalid_number},
    {"{\"a\":1.}\0"s, 7, Reason::invalid_number},
    {"{\"a\":1.e5}\0"s, 7, Reason::invalid_number},
    {"{\"a\":.5}\0"s, 5, Reason::syntax},
    {"{\"a\":+1}\0"s, 5, Reason::syntax},
    {"{\"a\":-}\0"s, 6, Reason::invalid_number},
    {"{\"a\":-a}\0"s, 6, Reason::invalid_number},
    {"{\"a\":--1}\0"s, 6, Reason::invalid_number},
    {"{\"a\":1e}\0"s, 7, Reason::invalid_number},
    {"{\"a\":1e+}\0"s, 8, Reason::invalid_number},
    {"{\"a\":1e+-1}\0"s, 8, Reason::invalid_number},
    {"{\"a\":1ee1}\0"s, 7, Reason::invalid_number},
    {"{\"a\":1.5.5}\0"s, 8, Reason::syntax},
    {"{\"a\":0x10}\0"s, 6, Reason::syntax},
    {"{\"a\":1_000}\0"s, 6, Reason::syntax},
    {"{\"a\":1e309}\0"s, 5, Reason::number_out_of_range},
    {"{\"a\":-1e309}\0"s, 5, Reason::number_out_of_range},
    {"{\"a\":1.8e308}\0"s, 5, Reason::number_out_of_range},
    {"{\"a\":0.00001e999999999999999999}\0"s, 5, Reason::number_out_of_range},
    {"{\"a\":1" + std::string(309, '0') + "}\0"s, 5, Reason::number_out_of_range},
    // strings
    {"{\"a\":\"\x01\"}\0"s, 6, Reason::control_character},
    {"{\"a\":\"line\nline\"}\0"s, 10, Reason::control_character},
    {"{\"a\":\"tab\there\"}\0"s, 9, Reason::control_character},
    {"{\"a\":\"\x1f\"}\0"s, 6, Reason::control_character},
    {"{\"a\nb\":1}\0"s, 3, Reason::control_character},
    {"{\"a\":\"\\x\"}\0"s, 7, Reason::invalid_escape},
    {"{\"a\":\"\\'\"}\0"s, 7, Reason::invalid_escape},
    {"{\"a\":\"\\U0041\"}\0"s, 7, Reason::invalid_escape},
    {"{\"a\":\"\\u00g0\"}\0"s, 10, Reason::invalid_escape},
    {"{\"a\":\"\\u004\"}\0"s, 11, Reason::invalid_escape},
    {"{\"a\":\"\\u\"}\0"s, 8, Reason::invalid_escape},
    {"{\"a\":\"\\u0000\"}\0"s, 11, Reason::nul_escape},
    {"{\"\\u0000\":1}\0"s, 7, Reason::nul_escape},
    {"{\"a\":\"\\ud800\"}\0"s, 12, Reason::lone_surrogate},
    {"{\"a\":\"\\ud800x\"}\0"s, 12, Reason::lone_surrogate},
    {"{\"a\":\"\\ud800\\n\"}\0"s, 13, Reason::lone_surrogate},
    {"{\"a\":\"\\ud800\\u0041\"}\0"s, 17, Reason::lone_surrogate},
    {"{\"a\":\"\\ud800\\ud800\"}\0"s, 17, Reason::lone_surrogate},
    {"{\"a\":\"\\udc00\"}\0"s, 11, Reason::lone_surrogate},
    {"{\"a\":\"\\uDFFF\\uD800\"}\0"s, 11, Reason::lone_surrogate},
    // UTF-8
    {"{\"a\":\"\x80\"}\0"s, 6, Reason::invalid_utf8},
    {"{\"a\":\"\xc0\x80\"}\0"s, 6, Reason::invalid_utf8},          // overlong NUL
    {"{\"a\":\"\xc1\xbf\"}\0"s, 6, Reason::invalid_utf8},          // overlong
    {"{\"a\":\"\xe0\x80\x80\"}\0"s, 7, Reason::invalid_utf8},      // overlong
    {"{\"a\":\"\xe0\x9f\xbf\"}\0"s, 7, Reason::invalid_utf8},      // overlong
    {"{\"a\":\"\xf0\x80\x80\x80\"}\0"s, 7, Reason::invalid_utf8},  // overlong
    {"{\"a\":\"\xf0\x8f\xbf\xbf\"}\0"s, 7, Reason::invalid_utf8},  // overlong
    {"{\"a\":\"\xed\xa0\x80\"}\0"s, 7, Reason::invalid_utf8},      // a surrogate
    {"{\"a\":\"\xed\xbf\xbf\"}\0"s, 7, Reason::invalid_utf8},      // a surrogate
    {"{\"a\":\"\xf4\x90\x80\x80\"}\0"s, 7, Reason::invalid_utf8},  // past U+10FFFF
    {"{\"a\":\"\xf5\x80\x80\x80\"}\0"s, 6, Reason::invalid_utf8},
    {"{\"a\":\"\xff\"}\0"s, 6, Reason::invalid_utf8},
    {"{\"a\":\"\xe2\x82\"}\0"s, 8, Reason::invalid_utf8},          // cut short by the quote
    {"{\"a\":\"\xc3x\"}\0"s, 7, Reason::invalid_utf8},
    {"{\"a\":\"\xf0\x9f\x98\xc3\"}\0"s, 9, Reason::invalid_utf8},
    {"{\"\xff\":1}\0"s, 2, Reason::invalid_utf8},
    // the end in the wrong place
    {"{\0"s, 1, Reason::unfinished},
    {"{\"a\":1\0"s, 6, Reason::unfinished},
    {"{\"a\":\"x\0y\"}"s, 7, Reason::unfinished},
    {"{\"a\":\"\\\0\"}"s, 7, Reason::unfinished},
    {"{\"a\":\"\\u00\0\"}"s, 10, Reason::unfinished},
    {"{\"a\":\"\xc3\0\"}"s, 7, Reason::unfinished},
    {"{\"a\":-\0}"s, 6, Reason::unfinished},
    {"{\"a\":tr\0}"s, 7, Reason::unfinished},
    {"{\"a\":[\0]}"s, 6, Reason::unfinished},
    {"{}x\0"s, 2, Reason::trailing_bytes},
    {"{}}\0"s, 2, Reason::trailing_bytes},
    {"{} {}\0"s, 3, Reason::trailing_bytes},
    {"{},\0"s, 2, Reason::trailing_bytes},
    // the envelope
    {R"({"method":"a.B","method":"a.C"})"s + '\0', 17, Reason::duplicate_member},
    {R"({"more":true,"x":1,"\u006dore":false})"s + '\0', 20, Reason::duplicate_member},
};

}  // namespace

TEST_CASE("a valid object is a frame, and its text is what was sent") {
  for (const std::string& text : good_texts) {
    INFO(text);
    auto result = scan_whole(text + '\0');
    REQUIRE(result.fault.reason == Reason::none);
    REQUIRE(result.frames == std::vector<std::string>{text});
    REQUIRE(result.left == 0);
    REQUIRE_FALSE(result.inside);
  }
}

TEST_CASE("a bad frame is refused with the offset and the reason of the first thing wrong") {
  for (const BadText& bad : bad_texts) {
    INFO(bad.bytes);
    auto result = scan_whole(bad.bytes);
    CHECK(result.frames.empty());
    CHECK(to_string(result.fault.reason) == to_string(bad.reason));
    CHECK(result.fault.offset == bad.offset);
  }
}

TEST_CASE("a frame is the same wherever it is cut in two or in three") {
  for (const std::string& text : good_texts) {
    INFO(text);
    std::string bytes = text + '\0' + "{}" + '\0';
    auto whole = scan_whole(bytes);
    REQUIRE(whole.frames.size() == 2);
    for (std::size_t first = 1; first < bytes.size(); ++first) {
      REQUIRE(scan_in_pieces(bytes, {first}) == whole);
      std::size_t step = bytes.size() < 90 ? 1 : 7;
      for (std::size_t second = first + 1; second < bytes.size(); second += step)
        REQUIRE(scan_in_pieces(bytes, {first, second}) == whole);
    }
  }
}

TEST_CASE("a bad frame is refused alike wherever it is cut") {
  for (const BadText& bad : bad_texts) {
    INFO(bad.bytes);
    auto whole = scan_whole(bad.bytes);
    for (std::size_t cut = 1; cut < bad.bytes.size(); ++cut) {
      auto pieces = scan_in_pieces(bad.bytes, {cut});
      REQUIRE(to_string(pieces.fault.reason) == to_string(whole.fault.reason));
      REQUIRE(pieces.fault.offset == whole.fault.offset);
    }
    REQUIRE(scan_in_chunks(bad.bytes, 1).fault.offset == whole.fault.offset);
  }
}

TEST_CASE("a scanner that has refused a frame refuses all that follows, with the same fault") {
  FrameScanner scanner;
  std::string bytes = "{}\0{x}\0{}\0"s;
  REQUIRE(scanner.feed(bytes).status == ScanStatus::frame);
  REQUIRE(scanner.feed(std::string_view(bytes).substr(3)).status == ScanStatus::bad);
  auto fault = scanner.fault();
  REQUIRE(fault.offset == 1);
  auto again = scanner.feed(bytes);
  REQUIRE(again.status == ScanStatus::bad);
  REQUIRE(again.consumed == 0);
  REQUIRE(scanner.fault().offset == fault.offset);
}

TEST_CASE("offsets count from the first byte after the previous frame") {
  CHECK(scan_whole("{}\0  {x}\0"s).fault.offset == 3);
  CHECK(scan_whole("{}\n\n\n  {x}\n"s).fault.offset == 3);
  CHECK(scan_whole("\n\n{x}\n"s).fault.offset == 1);
}

TEST_CASE("many frames in one buffer come out one by one, in order") {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "{\"n\":" + std::to_string(i) + "}" + '\0';
  auto result = scan_whole(bytes);
  REQUIRE(result.frames.size() == 100);
  REQUIRE(result.frames[42] == "{\"n\":42}");
  REQUIRE(scan_in_chunks(bytes, 1) == result);
  REQUIRE(scan_in_chunks(bytes, 13) == result);
}

TEST_CASE("the first frame's terminator fixes how the connection's frames end") {
  SECTION("nothing yet") {
    REQUIRE(scan_whole("{").terminator == Terminator::nul);
    REQUIRE(scan_whole("{").inside);
  }
  SECTION("NUL: newlines after an object are white space from then on") {
    auto result = scan_whole("{}\0{}\n\n \0{\n}\n\0"s);
    REQUIRE(result.terminator == Terminator::nul);
    REQUIRE(result.frames == std::vector<std::string>{"{}", "{}", "{\n}"});
    REQUIRE(result.left == 0);
  }
  SECTION("newline: one inside an object is white space, one behind it ends the frame") {
    auto result = scan_whole("{\n\"a\":\n1\n}\n{}\n");
    REQUIRE(result.terminator == Terminator::newline);
    REQUIRE(result.frames == std::vector<std::string>{"{\n\"a\":\n1\n}", "{}"});
  }
  SECTION("a carriage return before the newline is white space") {
    auto result = scan_whole("{}\r\n{} \r\n");
    REQUIRE(result.terminator == Terminator::newline);
    REQUIRE(result.frames.size() == 2);
    REQUIRE(result.left == 0);
  }
  SECTION("a NUL on a connection of newlines is refused by name") {
    auto result = scan_whole("{}\n{}\0"s);
    REQUIRE(result.frames.size() == 1);
    REQUIRE(result.fault.reason == Reason::wrong_terminator);
    REQUIRE(result.fault.offset == 2);
    REQUIRE(scan_whole("{}\n\0"s).fault.reason == Reason::wrong_terminator);
    REQUIRE(scan_whole("{}\n{\0"s).fault.reason == Reason::unfinished);
  }
}

TEST_CASE("empty frames are ignored, and consumed so that they need no room") {
  auto result = scan_whole("\0\0\n \n{}\0\0 \0{}\0"s);
  REQUIRE(result.fault.reason == Reason::none);
  REQUIRE(result.frames.size() == 2);
  REQUIRE(result.terminator == Terminator::nul);

  FrameScanner scanner;
  std::string nothing(1000, '\n');
  auto scan = scanner.feed(nothing);
  REQUIRE(scan.status == ScanStatus::need_more);
  REQUIRE(scan.consumed == 1000);
  REQUIRE_FALSE(scanner.is_inside_frame());
  scan = scanner.feed("\0\0 "s);
  REQUIRE(scan.consumed == 2);
  scan = scanner.feed(" {}\n");
  REQUIRE(scan.status == ScanStatus::frame);
  REQUIRE(scanner.terminator() == Terminator::newline);
  REQUIRE(scan.consumed == 4);
}

TEST_CASE("a limit is told by its key in the configuration and its value, any other fault by its words alone") {
  FrameLimits limits;
  limits.frame_bytes_max = 20;
  limits.depth_max = 3;
  CHECK(text_of(scan_whole("{\"a\":\"" + std::string(30, 'x'), limits).fault) == "frame too long: limits.frame_bytes is 20");
  CHECK(text_of(scan_whole("{\"a\":[[[]]]}", limits).fault) == "nested too deep: limits.json_depth is 3");
  CHECK(text_of({7, Reason::stalled, 0.5}) == "the rest of the frame did not come in time: limits.partial_frame_timeout is 0.5 seconds");
  CHECK(text_of({7, Reason::too_long, 16'777'216}) == "frame too long: limits.frame_bytes is 16777216");
  CHECK(text_of(scan_whole("{\"a\" 1}").fault) == std::string(to_string(Reason::syntax)));
}

TEST_CASE("a frame of exactly the limit passes, one byte more does not") {
  FrameLimits limits;
  limits.frame_bytes_max = 20;
  std::string fits = "{\"a\":\"" + std::string(12, 'x') + "\"}";
  REQUIRE(fits.size() == 20);
  std::string longer = "{\"a\":\"" + std::string(13, 'x') + "\"}";
  for (char terminator : {'\0', '\n'}) {
    REQUIRE(scan_whole(fits + terminator + fits + terminator, limits).frames.size() == 2);
    for (std::size_t size = 1; size < 25; ++size) {
      REQUIRE(scan_in_chunks(fits + terminator, size, limits).frames.size() == 1);
      auto refused = scan_in_chunks(longer + terminator, size, limits);
      REQUIRE(refused.frames.empty());
      REQUIRE(refused.fault.reason == Reason::too_long);
      REQUIRE(refused.fault.offset == 20);
    }
  }
  CHECK(scan_whole(std::string(21, ' '), limits).fault.reason == Reason::too_long);
  CHECK(scan_whole(std::string(20, ' '), limits).fault.reason == Reason::none);
  CHECK(scan_whole("{}" + std::string(19, ' '), limits).fault.reason == Reason::too_long);
  CHECK(scan_whole(std::string(40, '\n') + fits + '\n', limits).frames.size() == 1);
  CHECK(scan_whole("{\"a\":\"" + std::string(5000, 'x'), limits).fault.reason == Reason::too_long);
}

TEST_CASE("nesting to the limit passes, one level more does not") {
  auto nested = [](std::size_t depth, char open, char close) {
    std::string inner;
    for (std::size_t i = 1; i < depth; ++i) inner += open == '{' && i > 1 ? "\"a\":{" : std::string(1, open);
    return "{\"a\":" + (depth > 1 ? inner : std::string("1")) + std::string(depth - 1, close) + "}" + '\0';
  };
  for (std::uint32_t limit : {1u, 2u, 63u, 64u, 65u, 128u, 1000u, 1024u}) {
    FrameLimits limits;
    limits.depth_max = limit;
    CHECK(scan_whole(nested(limit, '[', ']'), limits).frames.size() == 1);
    CHECK(scan_whole(nested(limit, '{', '}'), limits).frames.size() == 1);
    CHECK(scan_whole(nested(limit + 1, '[', ']'), limits).fault.reason == Reason::too_deep);
    CHECK(scan_whole(nested(limit + 1, '{', '}'), limits).fault.reason == Reason::too_deep);
  }
  FrameLimits beyond;
  beyond.depth_max = 1'000'000;
  CHECK(scan_whole(nested(frame_depth_cap + 1, '[', ']'), beyond).fault.reason == Reason::too_deep);
}

TEST_CASE("objects and arrays close as what they were opened, at any depth") {
  std::string text = "{\"a\":";
  std::string tail = "}";
  for (int i = 0; i < 100; ++i) {
    bool object = i % 3 == 0;
    text += object ? "{\"b\":" : "[";
    tail.insert(0, 1, object ? '}' : ']');
  }
  FrameLimits limits;
  CHECK(scan_whole(text + "1" + tail + '\0', limits).frames.size() == 1);
  for (std::size_t i = 0; i + 1 < tail.size(); ++i) {
    std::string wrong = tail;
    wrong[i] = wrong[i] == '}' ? ']' : '}';
    REQUIRE(scan_whole(text + "1" + wrong + '\0', limits).fault.reason == Reason::syntax);
  }
}

TEST_CASE("the envelope's members are found, whatever stands around them") {
  FrameScanner scanner;
  std::string bytes = R"( { "oneway" : false, "x": {"method": [1]}, "parameters" : {"kind":"echo", "args":{}} ,"more":true,
    "upgrade":null ,"method": "io.corund.Jobs.Run","continues": true,"error":"e" , "y":"}" } )"s + '\0';
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    FrameScanner pieces;
    REQUIRE(pieces.feed(std::string_view(bytes).substr(0, cut)).status == ScanStatus::need_more);
    REQUIRE(pieces.feed(bytes).status == ScanStatus::frame);
    const Frame& frame = pieces.frame();
    REQUIRE(frame.member(Member::oneway) == "false");
    REQUIRE(frame.member(Member::parameters) == R"({"kind":"echo", "args":{}})");
    REQUIRE(frame.member(Member::more) == "true");
    REQUIRE(frame.member(Member::upgrade) == "null");
    REQUIRE(frame.member(Member::method) == R"("io.corund.Jobs.Run")");
    REQUIRE(frame.member(Member::continues) == "true");
    REQUIRE(frame.member(Member::error) == R"("e")");
    REQUIRE(frame.text_offset == 1);
    REQUIRE(frame.offset_of(frame.member(Member::oneway)) == bytes.find("false"));
  }
  REQUIRE(scanner.feed("{}\0"s).status == ScanStatus::frame);
  for (auto member : scanner.frame().members) REQUIRE(member.data() == nullptr);
}

TEST_CASE("members of an earlier frame are not those of a later one") {
  FrameScanner scanner;
  std::string bytes = R"({"method":"a.B","more":true})"s + '\0' + R"({"method":"a.C"})" + '\0';
  auto first = scanner.feed(bytes);
  REQUIRE(scanner.frame().member(Member::more) == "true");
  scanner.feed(std::string_view(bytes).substr(first.consumed));
  REQUIRE(scanner.frame().member(Member::method) == "\"a.C\"");
  REQUIRE(scanner.frame().member(Member::more).data() == nullptr);
}

TEST_CASE("a frame of a megabyte in single bytes costs no more than in one piece, but for the calls") {
  std::string bytes = "{\"method\":\"a.B\",\"parameters\":{\"text\":\"" + std::string(1 << 20, 'x') + "\"}}" + '\0';
  FrameScanner scanner;
  auto start = std::chrono::steady_clock::now();
  for (std::size_t size = 1; size < bytes.size(); ++size)
    if (scanner.feed({bytes.data(), size}).status != ScanStatus::need_more) FAIL("ended early");
  REQUIRE(scanner.feed(bytes).status == ScanStatus::frame);
  // Looking at everything again each time would take minutes.
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("each reason has its own words") {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(Reason::wrong_type); ++i) words.insert(to_string(static_cast<Reason>(i)));
  REQUIRE(words.size() == static_cast<std::size_t>(Reason::wrong_type) + 1);
}
