// SPDX-License-Identifier: MIT
#include "daemon/plugin/schema.hpp"

#include <corun/base/errors.hpp>

#include "daemon/kinds/echo.hpp"
#include "daemon/kinds/exec.hpp"
#include "daemon/kinds/sleep.hpp"
#include "support/catch.hpp"

using corund::Json;
using corund::plugin::Schema;

namespace {

std::string wrong(const Schema& schema, const char* text) {
  auto fault = schema.check(Json::parse(text), "args");
  return fault ? fault->path : "";
}

}  // namespace

TEST_CASE("what does not fit a schema is named by its path") {
  const Schema schema(R"({"type":"object","required":["path"],"additionalProperties":false,"properties":{
    "path":{"type":"string","minLength":1},"width":{"type":"integer","minimum":1},
    "tags":{"type":"array","items":{"type":"object","properties":{"0":{"type":"string"},"name":{"enum":["a","b"]}}}}}})");
  CHECK(wrong(schema, R"({"path":"x","width":3,"tags":[{"name":"a"}]})") == "");
  CHECK(wrong(schema, R"({"width":3})") == "args.path");
  CHECK(wrong(schema, R"({"path":""})") == "args.path");
  CHECK(wrong(schema, R"({"path":"x","width":0})") == "args.width");
  CHECK(wrong(schema, R"({"path":"x","width":1.5})") == "args.width");
  CHECK(wrong(schema, R"({"path":"x","width":"3"})") == "args.width");
  CHECK(wrong(schema, R"({"path":"x","colour":"red"})") == "args.colour");
  CHECK(wrong(schema, R"({"path":"x","tags":[{},{"name":"c"}]})") == "args.tags[1].name");
  CHECK(wrong(schema, R"({"path":"x","tags":[{"0":5}]})") == "args.tags[0].0");
}

TEST_CASE("what is no schema says so") {
  CHECK_THROWS_AS(Schema("{"), corun::ValueError);
  CHECK_THROWS_AS(Schema("5"), corun::ValueError);
  CHECK_THROWS_AS(Schema(R"({"type":"colour"})"), corun::ValueError);
  CHECK_THROWS_AS(Schema(R"({"properties":{"a":{"$ref":"http://example.org/a.json"}}})"), corun::ValueError);
}

TEST_CASE("the built-in kinds' own checks say what their schemas say") {
  corund::job::Registry registry;
  corund::KindRegistry kinds(registry);
  corund::kinds::add_echo(kinds);
  corund::kinds::add_sleep(kinds);
  corund::kinds::add_exec(kinds, {.shell = "/bin/sh", .line_bytes = 100, .output_bytes = 100});
  struct Case {
    const char* kind;
    const char* args;
  };
  for (const Case& one : {Case{"sleep", R"({"seconds":1})"}, Case{"sleep", R"({})"}, Case{"sleep", R"({"seconds":"1"})"},
                          Case{"sleep", R"({"seconds":1,"more":2})"}, Case{"exec", R"({"argv":["a"]})"}, Case{"exec", R"({"argv":[1]})"},
                          Case{"exec", R"({"shell":"a","umask":"022"})"}, Case{"exec", R"({"shell":"a","colour":1})"}}) {
    INFO(one.kind << " " << one.args);
    const corund::job::Kind* kind = registry.find(one.kind);
    REQUIRE(kind);
    if (kind->args_schema.empty()) continue;
    const bool fits = !Schema(kind->args_schema).check(Json::parse(one.args), "args").has_value();
    CHECK(fits == !kind->check(one.args).has_value());
  }
}
