// SPDX-License-Identifier: MIT
#include "daemon/wire/request.hpp"

#include "support/catch.hpp"

#include <optional>
#include <string>
#include <utility>

using namespace corund::wire;

namespace {

// Keeps the bytes that a request's views point into.
struct Parsed {
  explicit Parsed(std::string text) : bytes(std::move(text) + '\0') {
    REQUIRE(scanner.feed(bytes).status == ScanStatus::frame);
    result.emplace(parse_request(scanner.frame()));
  }
  Parsed(const Parsed&) = delete;
  std::string bytes;
  FrameScanner scanner;
  std::optional<corun::Result<Request, FrameFault>> result;
};

}  // namespace

TEST_CASE("a call has a method, parameters and flags") {
  Parsed parsed(R"({"method":"io.corund.Jobs.Run","parameters":{"kind":"echo"},"more":true})");
  const Request& request = parsed.result->value();
  CHECK(request.method() == "io.corund.Jobs.Run");
  CHECK(request.interface_name() == "io.corund.Jobs");
  CHECK(request.member_name() == "Run");
  CHECK(request.parameters() == R"({"kind":"echo"})");
  CHECK(request.parameters().data() == parsed.bytes.data() + parsed.bytes.find("{\"kind"));  // not copied
  CHECK(request.more());
  CHECK_FALSE(request.oneway());
  CHECK_FALSE(request.upgrade());
}

TEST_CASE("absent parameters, null ones and empty ones are the same") {
  for (const char* text : {R"({"method":"a.B"})", R"({"method":"a.B","parameters":null})", R"({"method":"a.B","parameters":{}})"}) {
    Parsed parsed(text);
    REQUIRE(parsed.result->value().parameters() == "{}");
  }
}

TEST_CASE("a flag that is null or false is not set, and unknown members mean nothing") {
  Parsed parsed(R"({"method":"a.B","more":null,"oneway":false,"upgrade":true,"io.example.extra":[1],"error":5})");
  const Request& request = parsed.result->value();
  CHECK_FALSE(request.more());
  CHECK_FALSE(request.oneway());
  CHECK(request.upgrade());
}

TEST_CASE("a frame that is no call says where and why") {
  struct Case {
    const char* text;
    const char* at;  // the piece at which the offset points
    FrameFaultReason reason;
  };
  for (const Case& wrong : {
           Case{R"({})", "{", FrameFaultReason::no_method},
           Case{R"({"parameters":{}})", "{", FrameFaultReason::no_method},
           Case{R"({"method":null})", "null", FrameFaultReason::wrong_type},
           Case{R"({"method":1})", "1", FrameFaultReason::wrong_type},
           Case{R"({"method":{}})", "{}", FrameFaultReason::wrong_type},
           Case{R"(  {"method":"a.B","parameters":[1]})", "[1]", FrameFaultReason::wrong_type},
           Case{R"({"method":"a.B","parameters":"{}"})", "\"{}\"", FrameFaultReason::wrong_type},
           Case{R"({"method":"a.B","more":1})", "1}", FrameFaultReason::wrong_type},
           Case{R"({"method":"a.B","oneway":"true"})", "\"true\"", FrameFaultReason::wrong_type},
           Case{R"({"method":"a.B","upgrade":[]})", "[]", FrameFaultReason::wrong_type},
       }) {
    INFO(wrong.text);
    Parsed parsed(wrong.text);
    REQUIRE(parsed.result->has_error());
    CHECK(parsed.result->error().reason == wrong.reason);
    CHECK(parsed.result->error().offset == std::string(wrong.text).find(wrong.at));
  }
}

TEST_CASE("a method's name is taken decoded, also after the request has been moved") {
  Parsed parsed(R"({"\u006d\u0065thod":"io.corund\u002eJobs.\u0052un"})");
  Request request = std::move(*parsed.result).value();
  CHECK(request.method() == "io.corund.Jobs.Run");
  CHECK(request.member_name() == "Run");
  CHECK(request.interface_name() == "io.corund.Jobs");
}

TEST_CASE("a method without a dot has no interface") {
  Parsed parsed(R"({"method":"Run"})");
  CHECK(parsed.result->value().interface_name().empty());
  CHECK(parsed.result->value().member_name() == "Run");
  Parsed empty(R"({"method":""})");
  CHECK(empty.result->value().member_name().empty());
}
