// SPDX-License-Identifier: MIT
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"
#include "daemon/wire/writer.hpp"

#include <chrono>
#include <iostream>

namespace corunctl::verbs {

namespace {

std::string lag_text(const Json& lag) {
  auto part = [&](const char* name) { return duration_text(lag.value(name, 0.0)); };
  return part("p50") + " (median), " + part("p99") + " (99th of 100), " + part("max") + " (most)";
}

std::string counts_text(const Json& jobs) {
  std::string text;
  for (const auto& [state, count] : jobs.items())
    if (count.is_number() && count.get<std::int64_t>() > 0) text += (text.empty() ? "" : ", ") + value_text(count) + " " + state;
  return text.empty() ? "none" : text;
}

std::string since_text(std::int64_t usec) {
  auto now = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return time_text(usec) + ", " + duration_text(static_cast<double>(now - usec) / 1e6) + " ago";
}

void print_status(const Json& status) {
  auto line = [](const char* name, const std::string& value) { std::cout << name << ": " << value << '\n'; };
  auto text = [&](const char* name) { return safe_text(value_text(status.value(name, Json()))); };
  line("corund", text("version") + ", pid " + text("pid") + ", " + text("state"));
  line("started", since_text(status.value("startedUSec", std::int64_t{0})));
  line("jobs", counts_text(status.value("jobs", Json::object())));
  for (const Json& group : status.value("groups", Json::array())) {
    auto field = [&](const char* name) { return safe_text(value_text(group.value(name, Json()))); };
    line("group", field("name") + ": " + field("running") + " of " + field("limit") + " running, " + field("queued") + " queued" +
                      (group.value("paused", false) ? ", paused" : ""));
  }
  line("loop lag", lag_text(status.value("loopLag", Json::object())));
  line("loop", text("steps") + " steps, " + text("tasks") + " tasks");
  line("sessions", text("sessions"));
  line("threads", text("executorBusy") + " of " + text("executorThreads") + " busy");
  if (Json bytes = status.value("storeBytes", Json()); bytes.is_number()) line("store", bytes_text(bytes.get<double>()));
  if (Json commit = status.value("commitSeconds", Json()); commit.is_object()) line("commit", lag_text(commit));
  if (status.value("journalDropped", std::int64_t{0}) > 0) line("journal records dropped", text("journalDropped"));
}

std::string group_parameters(const Options& options) {
  std::string parameters;
  corund::wire::JsonWriter out(parameters);
  out.begin_object();
  if (!options.name.empty()) out.key("group").string(options.name);
  out.end_object();
  return parameters;
}

}  // namespace

int status(const Options& options) {
  if (auto reply = ask(options, daemon_method("Status"))) print_status(*reply);
  return exit_code::success;
}

int pause(const Options& options) {
  ask(options, daemon_method("Pause"), group_parameters(options));
  return exit_code::success;
}

int resume(const Options& options) {
  ask(options, daemon_method("Resume"), group_parameters(options));
  return exit_code::success;
}

int drain(const Options& options) {
  if (ask(options, daemon_method("Drain")))
    std::cout << "the daemon is idle, and takes nothing new until it is restarted (systemctl restart corund) or stopped\n";
  return exit_code::success;
}

int reload(const Options& options) {
  auto reply = ask(options, daemon_method("Reload"));
  if (!reply) return exit_code::success;
  for (const Json& key : reply->value("changed", Json::array())) std::cout << "changed: " << safe_text(value_text(key)) << '\n';
  for (const Json& key : reply->value("needsRestart", Json::array())) std::cout << "after a restart: " << safe_text(value_text(key)) << '\n';
  return exit_code::success;
}

int metrics(const Options& options) {
  if (auto reply = ask(options, daemon_method("Metrics"))) std::cout << reply->value("text", std::string());
  return exit_code::success;
}

int stack(const Options& options) {
  auto reply = ask(options, jobs_method("Stack"), options.ids.empty() ? "{}" : id_parameters(options.ids[0]));
  if (!reply) return exit_code::success;
  std::string text = safe_text(reply->value("text", std::string()));
  std::cout << text << (text.empty() || text.ends_with('\n') ? "" : "\n");
  return exit_code::success;
}

int call(const Options& options) {
  Connection connection = connect(options);
  connection.send(options.name, args_from(options.words), {.more = options.more, .oneway = options.oneway});
  if (options.oneway) return exit_code::success;
  each_reply(connection, options, [](const Json& reply) { std::cout << reply.dump(is_terminal() ? 2 : -1) << std::endl; });
  return exit_code::success;
}

}  // namespace corunctl::verbs
