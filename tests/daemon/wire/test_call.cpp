// SPDX-License-Identifier: MIT
#include "daemon/wire/call.hpp"

#include "daemon/wire/reply.hpp"
#include "daemon/wire/request.hpp"
#include "support/catch.hpp"

using namespace corund::wire;
using namespace std::string_literals;

TEST_CASE("a call that the client writes is the request that the daemon reads") {
  std::string bytes;
  append_call(bytes, "io.corund.Jobs.Run", R"({"kind":"echo"})", {.more = true});
  CHECK(bytes == "{\"method\":\"io.corund.Jobs.Run\",\"parameters\":{\"kind\":\"echo\"},\"more\":true}\0"s);
  FrameScanner scanner;
  REQUIRE(scanner.feed(bytes).status == ScanStatus::frame);
  auto request = parse_request(scanner.frame());
  REQUIRE(request.has_value());
  CHECK(request->method() == "io.corund.Jobs.Run");
  CHECK(request->more());
  CHECK_FALSE(request->oneway());

  bytes.clear();
  append_call(bytes, "a.B", "{}", {.oneway = true}, Terminator::newline);
  CHECK(bytes == "{\"method\":\"a.B\",\"parameters\":{},\"oneway\":true}\n");
}

TEST_CASE("a reply that the daemon writes is the one that the client reads") {
  std::string bytes;
  append_reply(bytes, R"({"id":"x"})", Terminator::nul, true);
  append_error(bytes, "io.corund.Jobs.JobNotFound", R"({"id":"y"})", Terminator::nul);
  FrameScanner scanner;
  auto scan = scanner.feed(bytes);
  REQUIRE(scan.status == ScanStatus::frame);
  auto first = parse_reply(scanner.frame());
  REQUIRE(first.has_value());
  CHECK(first->continues);
  CHECK(first->error.empty());
  CHECK(first->parameters == R"({"id":"x"})");
  REQUIRE(scanner.feed(std::string_view(bytes).substr(scan.consumed)).status == ScanStatus::frame);
  auto second = parse_reply(scanner.frame());
  REQUIRE(second.has_value());
  CHECK_FALSE(second->continues);
  CHECK(second->error == "io.corund.Jobs.JobNotFound");
  CHECK(second->parameters == R"({"id":"y"})");
}

TEST_CASE("a reply may leave out its parameters, and must have the right types") {
  auto parsed = [](std::string bytes) {
    bytes += '\0';
    FrameScanner scanner;
    REQUIRE(scanner.feed(bytes).status == ScanStatus::frame);
    auto reply = parse_reply(scanner.frame());
    return reply.has_error() ? reply.error().reason : FrameFaultReason::none;
  };
  CHECK(parsed("{}") == FrameFaultReason::none);
  CHECK(parsed(R"({"parameters":null,"continues":null,"error":null})") == FrameFaultReason::none);
  CHECK(parsed(R"({"parameters":[]})") == FrameFaultReason::wrong_type);
  CHECK(parsed(R"({"continues":1})") == FrameFaultReason::wrong_type);
  CHECK(parsed(R"({"error":1})") == FrameFaultReason::wrong_type);
  CHECK(parsed(R"({"error":""})") == FrameFaultReason::wrong_type);
}
