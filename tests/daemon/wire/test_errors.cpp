// SPDX-License-Identifier: MIT
#include "daemon/wire/errors.hpp"

#include "daemon/wire/interfaces.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

using namespace corund::wire;
using namespace corund::wire::errors;

namespace {

// "interface.Error" to the names and types of its parameters ("id" -> "string", "?object"), as the .varlink files declare them. Nested structs are left whole.
std::map<std::string, std::map<std::string, std::string>> declared_errors() {
  std::map<std::string, std::map<std::string, std::string>> found;
  for (const InterfaceDescription& interface : interface_descriptions()) {
    std::string text(interface.text);
    std::regex error(R"(\nerror ([A-Za-z]+) \(([^\n]*)\))");
    for (std::sregex_iterator at(text.begin(), text.end(), error), end; at != end; ++at) {
      auto& fields = found[std::string(interface.name) + "." + (*at)[1].str()];
      std::string list = (*at)[2].str();
      std::regex field(R"(([A-Za-z]+): (\[\]\([^)]*\)|[^,]+))");
      for (std::sregex_iterator f(list.begin(), list.end(), field); f != end; ++f) fields[(*f)[1].str()] = (*f)[2].str();
    }
  }
  return found;
}

bool fits(const nlohmann::json& value, std::string type) {
  if (type.starts_with('?')) type.erase(0, 1);
  if (type == "string") return value.is_string();
  if (type == "int") return value.is_number_integer();
  if (type == "float") return value.is_number_float();
  if (type == "object") return value.is_object();
  if (type.starts_with("[]")) return value.is_array();
  return false;
}


std::vector<AnyError> one_of_each() {
  return {
      any(InterfaceNotFound{"a.b"}),
      any(MethodNotFound{"a.b.C"}),
      any(MethodNotImplemented{"a.b.C"}),
      any(InvalidParameter{"args.argv[2]"}),
      any(PermissionDenied{}),
      any(ExpectedMore{}),
      any(InconsistentEnvironment{}),
      any(KindNotFound{"x"}),
      any(JobNotFound{"01J"}),
      any(ContextNotFound{"x"}),
      any(JobFailed{"01J", "Signal", "killed by \"9\"", R"({"signal":9})"}),
      any(JobCancelled{"01J", "operator"}),
      any(JobTimedOut{"01J", 3}),
      any(JobLost{"01J"}),
      any(DependencyFailed{"01J", "01K"}),
      any(WaitTimedOut{"01J"}),
      any(NotEnded{"01J"}),
      any(QueueFull{10, 0.5}),
      any(LimitReached{"limits.sessions", 4096}),
      any(StoreFull{"no space"}),
      any(Draining{}),
      any(BadFrame{{7, FrameFaultReason::invalid_utf8}}),
      any(BadConfiguration{{{"/etc/corund.toml", 3, "stop.grace", "no duration"}, {}}}),
      any(GroupNotFound{"exec"}),
  };
}

}  // namespace

TEST_CASE("every error of the interfaces has its struct, and none is made up") {
  std::set<std::string> ours;
  for (const AnyError& error : one_of_each()) ours.insert(std::string(error.name));
  std::set<std::string> declared;
  for (const auto& [name, fields] : declared_errors()) declared.insert(name);
  REQUIRE(declared.size() > 20);
  CHECK(ours == declared);
}

TEST_CASE("an error's parameters are those that its interface declares, with their types") {
  auto declared = declared_errors();
  for (const AnyError& error : one_of_each()) {
    INFO(error.name << " " << error.parameters);
    auto parameters = nlohmann::json::parse(error.parameters);
    const auto& fields = declared[std::string(error.name)];
    REQUIRE(parameters.size() == fields.size());
    for (const auto& [name, type] : fields) {
      REQUIRE(parameters.contains(name));
      REQUIRE(fits(parameters[name], type));
    }
  }
}

TEST_CASE("an optional parameter that there is not is left out") {
  CHECK(parameters_of(JobCancelled{"x", std::nullopt}) == R"({"id":"x"})");
  CHECK(parameters_of(JobFailed{"x", "Leak", "m"}) == R"({"id":"x","type":"Leak","message":"m"})");
}

TEST_CASE("a failed job's result is made fit for the wire") {
  CHECK(parameters_of(JobFailed{"x", "t", "m", "{\"out\":\"\\u0000\"}"}) ==
        "{\"id\":\"x\",\"type\":\"t\",\"message\":\"m\",\"result\":{\"out\":\"\xef\xbf\xbd\"}}");
}
