// SPDX-License-Identifier: MIT
#include "client/render.hpp"

#include "support/catch.hpp"

using namespace corunctl;

TEST_CASE("a duration is said in the units that fit it") {
  CHECK(duration_text(0) == "0us");
  CHECK(duration_text(0.00004) == "40us");
  CHECK(duration_text(0.042) == "42ms");
  CHECK(duration_text(3.21) == "3.21s");
  CHECK(duration_text(60) == "1min");
  CHECK(duration_text(303) == "5min 3s");
  CHECK(duration_text(7800) == "2h 10min");
  CHECK(duration_text(3.25 * 86400) == "3d 6h");
}

TEST_CASE("bytes are said in the units that fit them") {
  CHECK(bytes_text(12) == "12 B");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(300.0 * 1024 * 1024) == "300 MiB");
}

TEST_CASE("text of a job cannot play with the terminal") {
  CHECK(safe_text("a\tb\n") == "a\tb\n");
  CHECK(safe_text("\x1b[31mred\x7f\r") == "^[[31mred^?^M");
  CHECK(safe_text("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
}

TEST_CASE("a value is written as a person would") {
  CHECK(value_text(Json()) == "-");
  CHECK(value_text("x y") == "x y");
  CHECK(value_text(Json::parse(R"({"b":1,"a":[true]})")) == R"({"b":1,"a":[true]})");
}

TEST_CASE("no time is a dash") { CHECK(time_text(0) == "-"); }
