// SPDX-License-Identifier: MIT
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/writer.hpp"

#include <iostream>

namespace corunctl::verbs {

namespace {

std::string seconds_or_dash(const Json& value) { return value.is_number() ? duration_text(value.get<double>()) : "-"; }

void print_schema(const char* name, const Json& schema) {
  if (!schema.is_string()) return;
  Json tree = Json::parse(schema.get<std::string>(), nullptr, false);
  std::cout << name << ":\n" << (tree.is_discarded() ? schema.get<std::string>() : tree.dump(2)) << '\n';
}

void print_kind(const Json& kind) {
  auto text = [&](const char* name) { return safe_text(value_text(kind.value(name, Json()))); };
  std::cout << text("name") << " - " << text("summary") << '\n'
            << "group: " << text("group") << '\n'
            << "timeout: " << seconds_or_dash(kind.value("timeout", Json())) << '\n'
            << "grace: " << seconds_or_dash(kind.value("grace", Json())) << '\n'
            << "from: " << text("origin") << '\n';
  if (kind.value("buildId", Json()).is_string()) std::cout << "build id: " << text("buildId") << '\n';
  print_schema("args", kind.value("argsSchema", Json()));
  print_schema("result", kind.value("resultSchema", Json()));
}

}  // namespace

int kinds(const Options& options) {
  auto reply = ask(options, jobs_method("ListKinds"));
  if (!reply) return exit_code::success;
  Table table({{"KIND", 16}, {"GROUP", 10}, {"TIMEOUT", 8}, {"FROM", 12}, {"", 0}});
  for (const Json& kind : reply->value("kinds", Json::array())) {
    auto text = [&](const char* name) { return safe_text(value_text(kind.value(name, Json()))); };
    if (options.name.empty()) {
      table.row({text("name"), text("group"), seconds_or_dash(kind.value("timeout", Json())), text("origin"), text("summary")});
    } else if (kind.value("name", std::string()) == options.name) {
      print_kind(kind);
      return exit_code::success;
    }
  }
  if (!options.name.empty()) throw Failure("there is no kind '" + options.name + "'. 'corunctl kinds' shows those that there are.");
  return exit_code::success;
}

int contexts(const Options& options) {
  if (!options.name.empty()) {
    std::string parameters;
    corund::wire::JsonWriter(parameters).begin_object().key("name").string(options.name).end_object();
    ask(options, jobs_method("DropContext"), parameters);
    return exit_code::success;
  }
  auto reply = ask(options, jobs_method("ListContexts"));
  if (!reply) return exit_code::success;
  Table table({{"CONTEXT", 16}, {"OWNER", 8}, {"VARIABLES", 9}, {"RUNNING", 7}, {"LAST USED", 19}});
  for (const Json& context : reply->value("contexts", Json::array())) {
    auto text = [&](const char* name) { return safe_text(value_text(context.value(name, Json()))); };
    table.row({text("name"), text("ownerUid"), text("variables"), text("jobsRunning"), time_text(context.value("lastUsedUSec", std::int64_t{0}))});
  }
  return exit_code::success;
}

}  // namespace corunctl::verbs
