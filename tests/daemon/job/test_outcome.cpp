// SPDX-License-Identifier: MIT
#include "daemon/job/outcome.hpp"

#include <corun/base/errors.hpp>

#include "support/catch.hpp"

using corund::job::describe_failure;
using corund::job::Outcome;
using corund::job::State;

namespace {

template <class E>
Outcome of(E error) {
  Outcome outcome;
  describe_failure(std::make_exception_ptr(std::move(error)), outcome);
  return outcome;
}

struct Odd {};

}  // namespace

TEST_CASE("an exception of any type becomes a failure with its type and text") {
  CHECK(of(std::runtime_error("text")).error_type == "std::runtime_error");
  CHECK(of(std::runtime_error("text")).error_message == "text");
  CHECK(of(corun::RuntimeError("misuse")).error_type == "RuntimeError");
  CHECK(of(42).error_message == "42");
  CHECK(of(std::string("words")).error_type == "std::string");
  CHECK(of(std::string("words")).error_message == "words");
  CHECK(of(Odd()).error_type.find("Odd") != std::string::npos);
  CHECK(of(corun::SystemExit(3)).error_type == "SystemExit");
  CHECK(of(corun::KeyboardInterrupt(2)).error_type == "KeyboardInterrupt");
  CHECK(of(Odd()).state == State::failed);
}

TEST_CASE("a CancelledError is a cancellation with its message as the reason") {
  const Outcome outcome = of(corun::CancelledError("enough"));
  CHECK(outcome.state == State::cancelled);
  CHECK(outcome.reason == "enough");
  CHECK(outcome.error_type.empty());
}

TEST_CASE("a JobFailure brings its own type and result") {
  const Outcome outcome = of(corund::JobFailure("ExitStatus", "exit status 3", corund::JsonText(R"({"exitCode":3})")));
  CHECK(outcome.error_type == "ExitStatus");
  CHECK(outcome.error_message == "exit status 3");
  CHECK(outcome.result.view() == R"({"exitCode":3})");
}

TEST_CASE("a group of exceptions names each") {
  std::vector<std::exception_ptr> inner = {std::make_exception_ptr(std::runtime_error("one")), std::make_exception_ptr(2)};
  const Outcome outcome = of(corun::ExceptionGroup("unhandled errors in a TaskGroup", inner));
  CHECK(outcome.error_type == "ExceptionGroup");
  CHECK(outcome.error_message.find("(2 sub-exceptions)") != std::string::npos);
  CHECK(outcome.error_message.find("one") != std::string::npos);
}
