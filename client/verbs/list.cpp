// SPDX-License-Identifier: MIT
#include "client/advice.hpp"
#include "client/verbs/common.hpp"
#include "client/verbs/verbs.hpp"

#include <chrono>
#include <iostream>

namespace corunctl::verbs {

namespace {

std::int64_t now_usec() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// How long it ran, or has been running.
std::string took(const Json& job) {
  Json started = job.value("startedUSec", Json());
  if (!started.is_number()) return "-";
  Json ended = job.value("endedUSec", Json());
  std::int64_t until = ended.is_number() ? ended.get<std::int64_t>() : now_usec();
  return duration_text(static_cast<double>(until - started.get<std::int64_t>()) / 1e6);
}

// What a person would ask next: why it waits, why it failed, how far it is; else what a command is.
std::string remark(const Json& job) {
  if (Json value = job.value("waitingFor", Json()); value.is_string()) return value.get<std::string>();
  if (std::string why = end_reason(job); !why.empty()) return why;
  if (Json progress = job.value("progress", Json()); progress.is_object()) return value_text(progress.value("text", Json("")));
  Json args = job.value("args", Json::object());
  if (Json shell = args.value("shell", Json()); shell.is_string()) return shell.get<std::string>();
  std::string words;
  for (const Json& word : args.value("argv", Json::array())) words += (words.empty() ? "" : " ") + value_text(word);
  return words;
}

// On one line, and no longer than a line of a table should be.
std::string short_text(std::string text) {
  for (char& byte : text)
    if (byte == '\n' || byte == '\t') byte = ' ';
  constexpr std::size_t most = 60;
  if (text.size() > most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  return safe_text(text);
}

}  // namespace

std::vector<std::string> job_cells(const Json& job) {
  auto text = [&](const char* name) { return safe_text(value_text(job.value(name, Json()))); };
  return {text("id"),        text("kind"), text("state"), text("group"), time_text(job.value("submittedUSec", std::int64_t{0})), took(job),
          short_text(remark(job))};
}

int list(const Options& options) {
  Connection connection = connect(options);
  connection.send(jobs_method("List"), filter_parameters(options.filter), {.more = true});
  Table table({{"ID", 26}, {"KIND", 12}, {"STATE", 9}, {"GROUP", 10}, {"SUBMITTED", 19}, {"TOOK", 9}, {"", 0}});
  each_reply(connection, options, [&](const Json& reply) {
    Json job = reply.value("job", Json());
    if (!job.is_object()) return;
    table.row(job_cells(job));
  });
  return exit_code::success;
}

int show(const Options& options) {
  Connection connection = connect(options);
  bool first = true;
  for (const std::string& id : options.ids) {
    auto reply = ask(connection, options, jobs_method("Show"), id_parameters(id));
    if (!reply) continue;
    if (!first) std::cout << '\n';
    first = false;
    print_job(reply->value("job", Json::object()));
  }
  return exit_code::success;
}

int remove(const Options& options) {
  Connection connection = connect(options);
  auto count = [&](const std::string& parameters) {
    auto reply = ask(connection, options, jobs_method("Remove"), parameters);
    return reply ? reply->value("count", std::int64_t{0}) : 0;
  };
  std::int64_t removed = 0;
  std::string chosen = filter_parameters(options.filter);
  if (options.ids.empty() && chosen == "{}") throw Failure("remove wants ids, or --state, --kind, --group, --label or --until to choose by");
  if (!options.ids.empty() && chosen != "{}") throw Failure("remove takes ids or a choice, not both");
  if (options.ids.empty()) removed = count(chosen);
  for (const std::string& id : options.ids) removed += count(id_parameters(id));
  if (!options.json) std::cout << removed << " removed\n";
  return exit_code::success;
}

}  // namespace corunctl::verbs
