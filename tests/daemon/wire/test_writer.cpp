// SPDX-License-Identifier: MIT
#include "daemon/wire/writer.hpp"

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <random>

using namespace corund::wire;
using namespace std::string_literals;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::string sanitized(std::string_view json) {
  std::string out;
  append_sanitized(out, json);
  return out;
}

#define FFFD "\xef\xbf\xbd"

}  // namespace

TEST_CASE("a writer puts commas where they belong") {
  std::string out = "before ";
  JsonWriter writer(out);
  writer.begin_object();
  writer.key("a").integer(-1);
  writer.key("b").begin_array().string("x").number(0.5).boolean(true).null().begin_object().end_object().begin_array().end_array();
  writer.end_array();
  writer.key("c").begin_object().string_key("k\"").raw("[1, 2]").key("n").unsigned_integer(18446744073709551615u).end_object();
  writer.key("d").boolean(false);
  writer.end_object();
  CHECK(out == R"(before {"a":-1,"b":["x",0.5,true,null,{},[]],"c":{"k\"":[1, 2],"n":18446744073709551615},"d":false})");
}

TEST_CASE("a number is written so that it reads back the same, and stays a float") {
  auto written = [](double value) {
    std::string out;
    JsonWriter(out).number(value);
    return out;
  };
  CHECK(written(0.1) == "0.1");
  CHECK(written(3) == "3.0");
  CHECK(written(-2.5) == "-2.5");
  CHECK(written(1e300) == "1e+300");
  CHECK(written(std::numeric_limits<double>::infinity()) == "null");
  CHECK(written(std::nan("")) == "null");
  for (double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789.123})
    CHECK(nlohmann::json::parse(written(value)).get<double>() == value);
}

TEST_CASE("a string is escaped where JSON wants it") {
  CHECK(escaped("plain") == "plain");
  CHECK(escaped("") == "");
  CHECK(escaped("\"\\\b\f\n\r\t\x01\x1f\x7f/") == "\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/");
  CHECK(escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST_CASE("what is not UTF-8, and NUL, is written as U+FFFD") {
  CHECK(escaped("a\0b"s) == "a" FFFD "b");
  CHECK(escaped("\x80") == FFFD);
  CHECK(escaped("\xff\xfe") == FFFD FFFD);
  CHECK(escaped("\xc3") == FFFD);
  CHECK(escaped("\xc3x") == FFFD "x");
  CHECK(escaped("\xe2\x82") == FFFD);          // one piece, cut short
  CHECK(escaped("\xe2\x82x") == FFFD "x");
  CHECK(escaped("\xf0\x9f\x98\"") == FFFD "\\\"");
  CHECK(escaped("\xed\xa0\x80") == FFFD FFFD FFFD);  // a surrogate: none of its bytes begins anything
  CHECK(escaped("\xc0\x80") == FFFD FFFD);
  CHECK(escaped("\xf4\x90\x80\x80") == FFFD FFFD FFFD FFFD);
}

TEST_CASE("strings of any bytes and length come back as valid JSON that means what could be kept") {
  std::mt19937 random(20261120);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random() % 80, 0);
    bool wild = round % 2;
    for (char& byte : bytes) byte = static_cast<char>(wild ? random() % 256 : 1 + random() % 127);
    std::string out;
    append_string(out, bytes);
    INFO(out);
    auto back = nlohmann::json::parse(out).get<std::string>();
    if (!wild) REQUIRE(back == bytes);
    REQUIRE(back.find('\0') == std::string::npos);
    REQUIRE(out.find("\\u0000") == std::string::npos);
  }
}

TEST_CASE("foreign JSON loses what the wire may not carry, and nothing else") {
  CHECK(sanitized(R"({"a":[1,"x\n\u0041\\",true]})") == R"({"a":[1,"x\n\u0041\\",true]})");
  CHECK(sanitized(R"("\u0000")") == "\"" FFFD "\"");
  CHECK(sanitized(R"("\\u0000")") == R"("\\u0000")");  // a backslash and some letters
  CHECK(sanitized(R"("\ud83d\ude00")") == R"("\ud83d\ude00")");
  CHECK(sanitized(R"("\ud83d")") == "\"" FFFD "\"");
  CHECK(sanitized(R"("\ude00\ud83dx")") == "\"" FFFD FFFD "x\"");
  CHECK(sanitized(R"("\ud83d\ud83d\ude00")") == "\"" FFFD R"(\ud83d\ude00")");
  CHECK(sanitized("\"\xff\xc3\xa9\"") == "\"" FFFD "\xc3\xa9\"");
  CHECK(sanitized("") == "");
  std::string out;
  JsonWriter(out).begin_array().foreign(R"("\u0000")").foreign("1").end_array();
  CHECK(out == "[\"" FFFD "\",1]");
}
