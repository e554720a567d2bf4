// SPDX-License-Identifier: MIT
#include "daemon/wire/interfaces.hpp"

#include "support/catch.hpp"

#include <string>

using namespace corund::wire;

TEST_CASE("each interface has its text, which declares it") {
  REQUIRE(interface_descriptions().size() == 4);
  for (const InterfaceDescription& interface : interface_descriptions()) {
    INFO(interface.name);
    CHECK(interface_description(interface.name) == interface.text);
    CHECK(interface.text.find("\ninterface " + std::string(interface.name) + "\n") != std::string_view::npos);
    CHECK(interface.text.ends_with('\n'));
    CHECK(interface.text.find('@') == std::string_view::npos);
  }
  CHECK(interface_description("io.corund.Nothing").empty());
}

TEST_CASE("the interfaces declare the methods that protocol.md promises") {
  std::string jobs(interface_description(jobs_interface));
  for (const char* method : {"Run", "Submit", "SubmitMany", "Wait", "Watch", "Show", "List", "Cancel", "Retry", "Remove", "Logs",
                             "Stack", "ListKinds", "ListContexts", "DropContext"})
    CHECK(jobs.find("\nmethod " + std::string(method) + "(") != std::string::npos);
  std::string daemon(interface_description(daemon_interface));
  for (const char* method : {"Status", "Pause", "Resume", "SetGroup", "Drain", "Reload", "Metrics", "SetLogLevel", "Subscribe"})
    CHECK(daemon.find("\nmethod " + std::string(method) + "(") != std::string::npos);
}
