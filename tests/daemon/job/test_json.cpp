// SPDX-License-Identifier: MIT
#include "daemon/job/json.hpp"

#include "support/catch.hpp"

using corund::Json;
using corund::to_text;

TEST_CASE("a tree's text holds neither NUL nor bytes that are no UTF-8") {
  Json tree;
  tree["nul"] = std::string("a\0b", 3);
  tree["bytes"] = "x\xff\xfey";
  tree["escaped"] = "a backslash and u0000: \\u0000";
  const std::string text(to_text(tree).view());
  CHECK(Json::parse(text)["nul"] == "a\xEF\xBF\xBD" "b");
  CHECK(text.find('\xff') == std::string::npos);
  CHECK(Json::parse(text)["escaped"] == tree["escaped"]);
}

TEST_CASE("a string that is appended is written as the tree's would be") {
  for (const std::string& text : {std::string(), std::string("hello\n"), std::string("\n\na b\n"), std::string("tab\tand \"quotes\" and \\"),
                                  std::string("\x7F \x1F"), std::string("gr\xC3\xBC\xC3\x9F"), std::string("cut \xC3"), std::string("a\0b\n", 4)}) {
    std::string to = "before";
    corund::append_string(to, text);
    CHECK(to == "before" + std::string(to_text(Json(text)).view()));
  }
}

TEST_CASE("a NUL behind an escaped backslash is still one") {
  Json tree = std::string("\\\0", 2);
  CHECK(to_text(tree).view() == "\"\\\\\xEF\xBF\xBD\"");
}
