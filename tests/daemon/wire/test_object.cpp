// SPDX-License-Identifier: MIT
#include "daemon/wire/object.hpp"

#include "support/catch.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace corund::wire;

namespace {

// What is wrong when a method with these parameters reads `text`.
std::string wrong_in(std::string_view text) {
  ObjectReader in(text);
  std::string name;
  std::optional<std::string> note;
  std::int64_t count = 0;
  double seconds = 0;
  bool flag = false;
  std::vector<std::string> argv;
  std::map<std::string, std::string> labels;
  std::string_view args;
  std::size_t choice = 0;
  while (in.next()) {
    if (in.key() == "name") in.read(name);
    else if (in.key() == "note") in.read(note);
    else if (in.key() == "count") in.read(count, 1, 10);
    else if (in.key() == "seconds") in.read(seconds, 0);
    else if (in.key() == "flag") in.read(flag);
    else if (in.key() == "argv") in.read(argv);
    else if (in.key() == "labels") in.read(labels);
    else if (in.key() == "args") in.read_object_text(args);
    else if (in.key() == "choice") in.read_choice(choice, {"one", "two"});
    else if (in.key() == "retry") in.read_object([](ObjectReader& retry) {
      std::int64_t max = 0;
      while (retry.next()) retry.key() == "max" ? retry.read(max, 1) : retry.fail();
      if (max == 0) retry.fail("max");
    });
    else if (in.key() == "jobs") in.read_array([](ObjectReader& job) {
      job.read_object([](ObjectReader& spec) {
        std::vector<std::string> after;
        while (spec.next()) spec.key() == "after" ? spec.read(after) : spec.fail();
      });
    });
    else in.fail();
  }
  if (in.ok() && name.empty()) in.fail("name");
  return in.wrong();
}

}  // namespace

TEST_CASE("each type is read as what it is") {
  ObjectReader in(R"({"s":"a\nb","b":true,"i":-5,"d":2.5,"whole":3,"l":["x","y\u0041"],"m":{"k":"v","k\t":""},"o":{"x": [1]},
    "none":null,"some":"here"})");
  std::string s;
  bool b = false;
  std::int64_t i = 0;
  double d = 0;
  double whole = 0;
  std::vector<std::string> l;
  std::map<std::string, std::string> m;
  std::string_view o;
  std::optional<std::string> none = "before";
  std::optional<std::string> some;
  while (in.next()) {
    if (in.key() == "s") CHECK(in.read(s));
    if (in.key() == "b") CHECK(in.read(b));
    if (in.key() == "i") CHECK(in.read(i));
    if (in.key() == "d") CHECK(in.read(d));
    if (in.key() == "whole") CHECK(in.read(whole));
    if (in.key() == "l") CHECK(in.read(l));
    if (in.key() == "m") CHECK(in.read(m));
    if (in.key() == "o") CHECK(in.read_object_text(o));
    if (in.key() == "none") CHECK(in.read(none));
    if (in.key() == "some") CHECK(in.read(some));
  }
  REQUIRE(in.ok());
  CHECK(s == "a\nb");
  CHECK(b);
  CHECK(i == -5);
  CHECK(d == 2.5);
  CHECK(whole == 3);
  CHECK(l == std::vector<std::string>{"x", "yA"});
  CHECK(m == std::map<std::string, std::string>{{"k", "v"}, {"k\t", ""}});
  CHECK(o == R"({"x": [1]})");
  CHECK(none == std::nullopt);
  CHECK(some == "here");
}

TEST_CASE("right parameters leave nothing wrong") {
  CHECK(wrong_in(R"({"name":"x"})") == "");
  CHECK(wrong_in(R"({"name":"x","note":null,"count":10,"seconds":0,"flag":false,"argv":[],"labels":{},"args":null,"choice":"two",
                     "retry":{"max":1},"jobs":[{"after":["a"]},{}]})") == "");
}

TEST_CASE("what is wrong is named by its path") {
  CHECK(wrong_in("{}") == "name");
  CHECK(wrong_in("") == "name");
  CHECK(wrong_in("null") == "name");
  CHECK(wrong_in(R"({"name":"x","naem":1})") == "naem");
  CHECK(wrong_in(R"({"name":"x","":1})") == "\"\"");
  CHECK(wrong_in(R"({"name":1})") == "name");
  CHECK(wrong_in(R"({"name":null})") == "name");
  CHECK(wrong_in(R"({"name":"x","note":1})") == "note");
  CHECK(wrong_in(R"({"name":"x","count":"1"})") == "count");
  CHECK(wrong_in(R"({"name":"x","count":0})") == "count");
  CHECK(wrong_in(R"({"name":"x","count":11})") == "count");
  CHECK(wrong_in(R"({"name":"x","count":1.5})") == "count");
  CHECK(wrong_in(R"({"name":"x","count":99999999999999999999})") == "count");
  CHECK(wrong_in(R"({"name":"x","seconds":-0.1})") == "seconds");
  CHECK(wrong_in(R"({"name":"x","seconds":true})") == "seconds");
  CHECK(wrong_in(R"({"name":"x","flag":0})") == "flag");
  CHECK(wrong_in(R"({"name":"x","argv":"ls"})") == "argv");
  CHECK(wrong_in(R"({"name":"x","argv":null})") == "argv");
  CHECK(wrong_in(R"({"name":"x","argv":["a","b",3]})") == "argv[2]");
  CHECK(wrong_in(R"({"name":"x","labels":{"a":"b","c":5}})") == "labels.c");
  CHECK(wrong_in(R"({"name":"x","args":[]})") == "args");
  CHECK(wrong_in(R"({"name":"x","choice":"three"})") == "choice");
  CHECK(wrong_in(R"({"name":"x","retry":{"max":0}})") == "retry.max");
  CHECK(wrong_in(R"({"name":"x","retry":{}})") == "retry.max");
  CHECK(wrong_in(R"({"name":"x","retry":{"max":1,"delya":1}})") == "retry.delya");
  CHECK(wrong_in(R"({"name":"x","retry":[1]})") == "retry");
  CHECK(wrong_in(R"({"name":"x","jobs":[{},{"after":["a",1]}]})") == "jobs[1].after[1]");
  CHECK(wrong_in(R"({"name":"x","jobs":[{},"x"]})") == "jobs[1]");
  CHECK(wrong_in(R"({"name":"x","jobs":{}})") == "jobs");
}

TEST_CASE("the first thing wrong stands, and nothing is read after it") {
  CHECK(wrong_in(R"({"one":1,"two":2})") == "one");
  ObjectReader in(R"({"a":1,"b":2})");
  REQUIRE(in.next());
  CHECK_FALSE(in.fail());
  CHECK_FALSE(in.next());
  in.fail("later");
  CHECK(in.wrong() == "a");
}

TEST_CASE("a value of the wrong type leaves what was there") {
  ObjectReader in(R"({"a":1})");
  REQUIRE(in.next());
  std::string text = "before";
  CHECK_FALSE(in.read(text));
  CHECK(text == "before");
}

TEST_CASE("a name that comes twice is wrong") {
  CHECK(wrong_in(R"({"name":"x","count":1,"name":"y"})") == "name");
  CHECK(wrong_in(R"({"name":"x","labels":{"a":"1","a":"2"}})") == "labels.a");
  CHECK(wrong_in(R"({"name":"x","labels":{"a":"1","\u0061":"2"}})") == "labels.a");
  std::string many = R"({"name":"x","labels":{)";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":\"\",";
  CHECK(wrong_in(many + R"("z":""}})") == "");
  CHECK(wrong_in(many + R"("k99":""}})") == "labels.k99");
}

TEST_CASE("a name with escapes is read as what it means") {
  CHECK(wrong_in(R"({"n\u0061me":"x"})") == "");
  CHECK(wrong_in(R"({"n\u0062me":"x"})") == "nbme");
}
