// SPDX-License-Identifier: MIT
#include "client/verbs/common.hpp"

#include "client/advice.hpp"
#include "config/paths.hpp"
#include "daemon/wire/interfaces.hpp"
#include "daemon/wire/writer.hpp"

namespace corunctl::verbs {

namespace wire = corund::wire;

Connection connect(const Options& options) {
  if (!options.socket.empty()) return Connection({options.socket});
  return Connection(corund::config::client_socket_paths());
}

std::string jobs_method(const char* name) { return std::string(wire::jobs_interface) + "." + name; }
std::string daemon_method(const char* name) { return std::string(wire::daemon_interface) + "." + name; }

std::string id_parameters(const std::string& id) {
  std::string out;
  wire::JsonWriter(out).begin_object().key("id").string(id).end_object();
  return out;
}

namespace {

void write_retry(wire::JsonWriter& out, const JobOptions& job) {
  if (!job.attempts && job.retry_delay.empty() && !job.backoff) return;
  if (!job.attempts) throw Failure("--retry-delay and --backoff need --attempts");
  out.key("retry").begin_object();
  out.key("max").integer(*job.attempts);
  if (!job.retry_delay.empty()) out.key("delay").number(seconds_from(job.retry_delay));
  if (job.backoff) out.key("backoff").number(*job.backoff);
  out.end_object();
}

void write_job_options(wire::JsonWriter& out, const JobOptions& job) {
  auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.key(name).string(value);
  };
  auto duration = [&](const char* name, const std::string& value) {
    if (!value.empty()) out.key(name).number(seconds_from(value));
  };
  text("context", job.context);
  duration("timeout", job.timeout);
  duration("grace", job.grace);
  if (job.priority) out.key("priority").integer(*job.priority);
  text("group", job.group);
  duration("delay", job.delay);
  write_retry(out, job);
  if (!job.after.empty()) {
    out.key("after").begin_array();
    for (const std::string& id : job.after) out.string(id);
    out.end_array();
  }
  text("key", job.key);
  text("ack", job.ack);
  if (!job.labels.empty()) {
    out.key("labels").begin_object();
    for (const std::string& label : job.labels) {
      auto [name, value] = split_pair(label, "a label");
      out.string_key(name).string(value);
    }
    out.end_object();
  }
}

void write_filter(corund::wire::JsonWriter& out, const Filter& filter) {
  auto names = [&](const char* key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    out.key(key).begin_array();
    for (const std::string& value : values) out.string(value);
    out.end_array();
  };
  names("states", filter.states);
  names("kinds", filter.kinds);
  names("groups", filter.groups);
  if (!filter.labels.empty()) {
    out.key("labels").begin_object();
    for (const std::string& label : filter.labels) {
      auto [name, value] = split_pair(label, "a label");
      out.string_key(name).string(value);
    }
    out.end_object();
  }
  if (!filter.since.empty()) out.key("sinceUSec").integer(moment_from(filter.since));
  if (!filter.until.empty()) out.key("untilUSec").integer(moment_from(filter.until));
  if (filter.limit) out.key("limit").integer(*filter.limit);
  if (filter.newest_first) out.key("newestFirst").boolean(true);
}

}  // namespace

std::string filter_parameters(const Filter& filter) {
  std::string parameters;
  corund::wire::JsonWriter out(parameters);
  out.begin_object();
  write_filter(out, filter);
  out.end_object();
  return parameters;
}

std::string submission(const Options& options) {
  std::string out;
  wire::JsonWriter writer(out);
  writer.begin_object();
  writer.key("kind").string(options.kind);
  writer.key("args").raw(options.command.argv.empty() ? args_from(options.words) : exec_args(options.command));
  write_job_options(writer, options.job);
  writer.end_object();
  return out;
}

std::optional<Json> ask(Connection& connection, const Options& options, const std::string& method, const std::string& parameters) {
  Answer answer = connection.call(method, parameters);
  require_success(answer);
  if (!options.json) return Json::parse(answer.parameters);
  print_wire(answer.parameters);
  return std::nullopt;
}

std::optional<Json> ask(const Options& options, const std::string& method, const std::string& parameters) {
  Connection connection = connect(options);
  return ask(connection, options, method, parameters);
}

void each_reply(Connection& connection, const Options& options, const std::function<void(const Json&)>& body) {
  while (true) {
    Answer answer = connection.receive();
    require_success(answer);
    if (options.json) print_wire(answer.parameters);
    else body(Json::parse(answer.parameters));
    if (!answer.continues) return;
  }
}

}  // namespace corunctl::verbs
