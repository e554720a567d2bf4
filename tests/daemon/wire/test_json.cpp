// SPDX-License-Identifier: MIT
#include "daemon/wire/json.hpp"

#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace corund::wire;

namespace {

std::vector<std::pair<std::string, std::string>> children(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> found;
  JsonCursor cursor(text);
  while (cursor.next()) found.emplace_back(cursor.key(), cursor.value());
  return found;
}

std::string unescaped(std::string_view body) {
  std::string out;
  unescape(body, out);
  return out;
}

}  // namespace

TEST_CASE("a value's type is told by its first byte") {
  CHECK(json_type("{}") == JsonType::object);
  CHECK(json_type("[1]") == JsonType::array);
  CHECK(json_type("\"x\"") == JsonType::string);
  CHECK(json_type("-1") == JsonType::number);
  CHECK(json_type("0.5") == JsonType::number);
  CHECK(json_type("true") == JsonType::boolean);
  CHECK(json_type("false") == JsonType::boolean);
  CHECK(json_type("null") == JsonType::null);
  CHECK(json_type("") == JsonType::null);
}

TEST_CASE("a cursor walks the direct children, whatever is inside them") {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(children("{}").empty());
  CHECK(children("{ \n }").empty());
  CHECK(children("").empty());
  CHECK(children("null").empty());
  CHECK(children("[]").empty());
  CHECK(children(R"({"a":1})") == Pairs{{"a", "1"}});
  CHECK(children("{ \"a\" : [1, {\"b\":\"]}\"}] ,\r\n\t\"c\\\"}\" : \"x\\\\\" , \"d\":{\"e\":{}},\"f\" : null }") ==
        Pairs{{"a", "[1, {\"b\":\"]}\"}]"}, {"c\\\"}", "\"x\\\\\""}, {"d", "{\"e\":{}}"}, {"f", "null"}});
  CHECK(children("[ 1 ,-2.5e3, true,[ ],\"a,b\" , {\"x\":[]}]") ==
        Pairs{{"", "1"}, {"", "-2.5e3"}, {"", "true"}, {"", "[ ]"}, {"", "\"a,b\""}, {"", "{\"x\":[]}"}});
}

TEST_CASE("a cursor says of a key whether it needs decoding") {
  JsonCursor cursor(R"({"a\n":1,"b":"\n","c":2})");
  REQUIRE(cursor.next());
  CHECK(cursor.key_has_escape());
  REQUIRE(cursor.next());
  CHECK_FALSE(cursor.key_has_escape());
  REQUIRE(cursor.next());
  CHECK_FALSE(cursor.key_has_escape());
}

TEST_CASE("escapes are decoded to UTF-8") {
  CHECK(unescaped("plain") == "plain");
  CHECK(unescaped("") == "");
  CHECK(unescaped(R"(\"\\\/\b\f\n\r\t)") == "\"\\/\b\f\n\r\t");
  CHECK(unescaped(R"(\u0041\u007f\u0080\u07ff\u0800\uffff)") == "A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  CHECK(unescaped(R"(x\ud83d\uDE00y)") == "x\xf0\x9f\x98\x80y");
  CHECK(unescaped(R"(\ud800\udc00\udbff\udfff)") == "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  CHECK(decode_string(R"("a\\")") == "a\\");
}

TEST_CASE("an integer is one only without fraction and exponent, and where it fits") {
  CHECK(decode_int("0") == 0);
  CHECK(decode_int("-0") == 0);
  CHECK(decode_int("9223372036854775807") == INT64_MAX);
  CHECK(decode_int("-9223372036854775808") == INT64_MIN);
  CHECK_FALSE(decode_int("9223372036854775808"));
  CHECK_FALSE(decode_int("-9223372036854775809"));
  CHECK_FALSE(decode_int("1.0"));
  CHECK_FALSE(decode_int("1e3"));
}

TEST_CASE("a number too small for a double is zero") {
  CHECK(decode_double("0.1") == 0.1);
  CHECK(decode_double("-12345678901234567890") == -12345678901234567890.0);
  CHECK(decode_double("1e308") == 1e308);
  CHECK(decode_double("1e-999") == 0.0);
}
