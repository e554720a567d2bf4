// SPDX-License-Identifier: MIT
#include "client/cli/arguments.hpp"

#include "client/failure.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>

using namespace corunctl;
using Json = nlohmann::json;

TEST_CASE("a value that is JSON is taken as such, any other as a string") {
  CHECK(args_from({}) == "{}");
  CHECK(args_from({"x=1"}) == R"({"x":1})");
  CHECK(args_from({"text=hello world", "n=-2.5", "on=true", "none=null", "list=[1, 2]", "o={\"a\":{}}", "q=\"1\"", "empty="}) ==
        R"({"text":"hello world","n":-2.5,"on":true,"none":null,"list":[1, 2],"o":{"a":{}},"q":"1","empty":""})");
  CHECK(args_from({"a=01", "b=1,\"c\":2", "c=1}", "d=tru", "e=say \"hi\"", "f=a=b"}) ==
        R"({"a":"01","b":"1,\"c\":2","c":"1}","d":"tru","e":"say \"hi\"","f":"a=b"})");
}

TEST_CASE("one JSON object is the args as it is") {
  CHECK(args_from({R"( {"x": [1]} )"}) == R"({"x": [1]})");
  CHECK_THROWS_AS(args_from({"{x:1}"}), Failure);
  CHECK_THROWS_AS(args_from({R"({"a":1},{"b":2})"}), Failure);
}

TEST_CASE("words that are no arguments are refused") {
  CHECK_THROWS_AS(args_from({"x"}), Failure);
  CHECK_THROWS_AS(args_from({"=1"}), Failure);
  CHECK_THROWS_AS(args_from({"x=1", "x=2"}), Failure);
  CHECK_THROWS_AS(args_from({"x=\xff"}), Failure);
}

TEST_CASE("durations are seconds, or numbers with a unit") {
  CHECK(seconds_from("90") == 90);
  CHECK(seconds_from("1.5") == 1.5);
  CHECK(seconds_from("200ms") == Approx(0.2));
  CHECK(seconds_from("5min") == 300);
  CHECK(seconds_from("5 m") == 300);
  CHECK(seconds_from("2h") == 7200);
  CHECK(seconds_from("7d") == 604800);
  for (const char* wrong : {"", "x", "-1", "1y", "1 h 3", "h"}) CHECK_THROWS_AS(seconds_from(wrong), Failure);
}

TEST_CASE("a moment is a duration ago, or seconds since the epoch") {
  CHECK(moment_from("@1700000000") == 1'700'000'000'000'000);
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(std::abs(moment_from("1h") - (now - 3'600'000'000)) < 10'000'000);
}

TEST_CASE("only one whole value is JSON") {
  for (const char* good : {"1", " [1] ", "\"x\"", "{}", "null"}) CHECK(is_json(good));
  for (const char* bad : {"", "  ", "1 2", "1,2", "\"a\":1", "1}{", "{}}", "'x'", "\"\\u0000\"", "nul"}) CHECK_FALSE(is_json(bad));
}

TEST_CASE("UTF-8 is what comes back unchanged from JSON") {
  CHECK(is_utf8("gr\xc3\xbc\xc3\x9f \"dich\"\n\x01"));
  CHECK(is_utf8("\xef\xbf\xbd"));
  CHECK_FALSE(is_utf8("\xff"));
  CHECK_FALSE(is_utf8(std::string("a\0b", 3)));
}

TEST_CASE("a command takes along where it is and what is set here") {
  ::setenv("CORUNCTL_TEST", "here \"q\"", 1);
  ::setenv("NOTIFY_SOCKET", "/run/x", 1);
  Command command;
  command.argv = {"ls", "-l"};
  Json args = Json::parse(exec_args(command));
  CHECK(args["argv"] == Json({"ls", "-l"}));
  CHECK(args["cwd"] == std::filesystem::current_path().string());
  CHECK(args["env"]["CORUNCTL_TEST"] == "here \"q\"");
  CHECK(args["env"].contains("PATH"));
  CHECK_FALSE(args["env"].contains("NOTIFY_SOCKET"));
  CHECK_FALSE(args.contains("stdin"));

  command.whole_environment = false;
  command.env = {"A=b=c", "CORUNCTL_TEST", "CORUNCTL_NOT_SET"};
  command.directory = "/tmp";
  args = Json::parse(exec_args(command));
  CHECK(args["env"] == Json({{"A", "b=c"}, {"CORUNCTL_TEST", "here \"q\""}}));
  CHECK(args["cwd"] == "/tmp");

  command.argv = {"\xff"};
  CHECK_THROWS_AS(exec_args(command), Failure);
  ::unsetenv("NOTIFY_SOCKET");
}
