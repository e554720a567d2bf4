// SPDX-License-Identifier: MIT
#include "client/advice.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/writer.hpp"

#include <iostream>

namespace corunctl::verbs {

namespace {

// "01J... failed after 3s: ExitStatus: exit status 3"
void print_end(const Json& job) {
  std::string line = job.value("id", std::string()) + " " + state_text(job.value("state", std::string()));
  Json started = job.value("startedUSec", Json());
  Json ended = job.value("endedUSec", Json());
  if (started.is_number() && ended.is_number())
    line += " after " + duration_text(static_cast<double>(ended.get<std::int64_t>() - started.get<std::int64_t>()) / 1e6);
  if (const std::string why = end_reason(job); !why.empty()) line += ": " + safe_text(why);
  std::cout << line << std::endl;
}

}  // namespace

// All calls go out at once: the answers come in the order of the ids, each when its job has ended.
int wait(const Options& options) {
  Connection connection = connect(options);
  for (const std::string& id : options.ids) {
    std::string parameters;
    corund::wire::JsonWriter out(parameters);
    out.begin_object().key("id").string(id);
    if (!options.timeout.empty()) out.key("timeout").number(seconds_from(options.timeout));
    out.end_object();
    connection.send(jobs_method("Wait"), parameters);
  }
  int code = exit_code::success;
  for (std::size_t i = 0; i < options.ids.size(); ++i) {
    Answer answer = connection.receive();
    int one = exit_code_of(answer);
    if (!answer.error.empty()) {
      if (options.json) print_wire(wire_error(answer));
      std::cerr << "corunctl: " << explain(answer) << std::endl;
    } else {
      Json job = Json::parse(answer.parameters).value("job", Json::object());
      one = exit_code_of_job(job.dump(-1, ' ', false, Json::error_handler_t::replace));
      if (options.json) print_wire(answer.parameters);
      else print_end(job);
    }
    if (code == exit_code::success) code = one;
  }
  return code;
}

int watch(const Options& options) {
  Connection connection = connect(options);
  connection.send(jobs_method("Watch"), id_parameters(options.ids.at(0)), {.more = true});
  each_reply(connection, options, [](const Json& reply) {
    if (reply.contains("event")) print_event(reply["event"]);
  });
  return exit_code::success;
}

}  // namespace corunctl::verbs
