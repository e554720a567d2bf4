// SPDX-License-Identifier: MIT
// What a job wrote and what was said about it: the daemon reads it, from the journal or from the job's record.
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/writer.hpp"

#include <iostream>

namespace corunctl::verbs {

namespace {

// The last reply carries none.
void print_entry(const Json& entry) {
  Json text = entry.value("text", Json());
  if (!text.is_string()) return;
  std::string stream = entry.value("stream", std::string("daemon"));
  std::cout << time_text(entry.value("timestampUSec", std::int64_t{0})) << "  " << stream << ": " << safe_text(text.get<std::string>()) << std::endl;
}

}  // namespace

int logs(const Options& options) {
  std::string parameters;
  corund::wire::JsonWriter out(parameters);
  out.begin_object().key("id").string(options.ids.at(0));
  if (options.follow) out.key("follow").boolean(true);
  if (options.lines) out.key("lines").integer(*options.lines);
  out.end_object();
  Connection connection = connect(options);
  connection.send(jobs_method("Logs"), parameters, {.more = true});
  each_reply(connection, options, print_entry);
  return exit_code::success;
}

}  // namespace corunctl::verbs
