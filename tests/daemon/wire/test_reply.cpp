// SPDX-License-Identifier: MIT
#include "daemon/wire/reply.hpp"

#include "daemon/wire/errors.hpp"
#include "support/catch.hpp"

using namespace corund::wire;
using namespace std::string_literals;

TEST_CASE("a reply is its parameters in an envelope, ended as the connection's frames are") {
  std::string out;
  append_reply(out, R"({"id":"x"})", Terminator::nul);
  append_reply(out, "{}", Terminator::newline);
  CHECK(out == "{\"parameters\":{\"id\":\"x\"}}\0{\"parameters\":{}}\n"s);
}

TEST_CASE("a reply that others follow says so") {
  std::string out;
  append_reply(out, "{}", Terminator::nul, true);
  CHECK(out == "{\"parameters\":{},\"continues\":true}\0"s);
}

TEST_CASE("an error is a name and parameters, and never continues") {
  std::string out;
  append_error(out, "io.corund.Jobs.Draining", "{}", Terminator::newline);
  append_error(out, errors::JobNotFound{"01J\""}, Terminator::newline);
  CHECK(out ==
        "{\"error\":\"io.corund.Jobs.Draining\",\"parameters\":{}}\n"
        "{\"error\":\"io.corund.Jobs.JobNotFound\",\"parameters\":{\"id\":\"01J\\\"\"}}\n");
}

TEST_CASE("a reply can be written in place") {
  std::string out;
  ReplyBuilder first(out, Terminator::newline, true);
  first.parameters().key("n").integer(1);
  first.parameters().key("list").begin_array().string("x").end_array();
  first.finish();
  ReplyBuilder last(out, Terminator::newline);
  last.finish();
  CHECK(out == "{\"parameters\":{\"n\":1,\"list\":[\"x\"]},\"continues\":true}\n{\"parameters\":{}}\n");
}

TEST_CASE("where frames end in newlines a reply has no other") {
  std::string args = "{\n  \"x\": [1,\r\n 2]\n}";
  std::string out = "earlier\n";
  append_reply(out, args, Terminator::newline);
  CHECK(out == "earlier\n{\"parameters\":{   \"x\": [1,\r  2] }}\n");
  out.clear();
  append_reply(out, args, Terminator::nul);
  CHECK(out == "{\"parameters\":" + args + "}" + '\0');
}
