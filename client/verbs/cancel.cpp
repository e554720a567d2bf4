// SPDX-License-Identifier: MIT
#include "client/advice.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/writer.hpp"

#include <iostream>

namespace corunctl::verbs {

namespace {

std::string words_for(const Json& reply, bool by_force) {
  std::string outcome = reply.value("outcome", std::string());
  std::string state = state_text(reply.value("state", std::string()));
  std::string time = duration_text(reply.value("seconds", 0.0));
  if (outcome == "notStarted") return state + " before it started";
  if (outcome == "alreadyEnded") return "had already ended: " + state;
  if (outcome == "swallowed") return "caught the cancellation and ended in its own way after " + time + ": " + state;
  if (outcome == "running" && by_force)
    return "is still there although it was ended by force (" + time + "); look where with 'corunctl stack'. It stays until it ends by itself or the daemon "
           "is restarted";
  if (outcome == "running") return "is still there after its grace (" + time + "); look where with 'corunctl stack', end it with --force";
  return state + " after " + time;
}

std::string place_of(const Json& frame) {
  if (!frame.is_object()) return {};
  return " (it was suspended in " + safe_text(frame.value("function", std::string())) + ", " + safe_text(frame.value("file", std::string())) + ":" +
         value_text(frame.value("line", Json())) + ")";
}

}  // namespace

// All at once: jobs end side by side.
int cancel(const Options& options) {
  Connection connection = connect(options);
  for (const std::string& id : options.ids) {
    std::string parameters;
    corund::wire::JsonWriter out(parameters);
    out.begin_object().key("id").string(id);
    if (!options.reason.empty()) out.key("reason").string(options.reason);
    if (options.force) out.key("force").boolean(true);
    out.end_object();
    connection.send(jobs_method("Cancel"), parameters);
  }
  int code = exit_code::success;
  for (const std::string& id : options.ids) {
    Answer answer = connection.receive();
    if (!answer.error.empty()) {
      if (options.json) print_wire(wire_error(answer));
      std::cerr << "corunctl: " << explain(answer) << std::endl;
      code = exit_code_of(answer);
      continue;
    }
    Json reply = Json::parse(answer.parameters);
    if (reply.value("outcome", std::string()) == "running" && code == exit_code::success) code = exit_code::failed;
    if (options.json) {
      print_wire(answer.parameters);
      continue;
    }
    std::string line = id + " " + words_for(reply, options.force) + place_of(reply.value("suspendedAt", Json()));
    if (Json how = reply.value("escalated", Json()); how.is_string()) line += "; escalated: " + safe_text(how.get<std::string>());
    std::cout << line << std::endl;
  }
  return code;
}

int retry(const Options& options) {
  Connection connection = connect(options);
  for (const std::string& id : options.ids)
    if (auto reply = ask(connection, options, jobs_method("Retry"), id_parameters(id))) std::cout << reply->value("id", std::string()) << std::endl;
  return exit_code::success;
}

}  // namespace corunctl::verbs
