// SPDX-License-Identifier: MIT
#include "daemon/kinds/exec_args.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace corund::kinds {
namespace {

[[noreturn]] void refuse(const Json& where, const char* why) { throw Json::type_error::create(302, why, &where); }

void read_env(const Json& json, ExecArgs& args) {
  if (!json.is_object()) refuse(json, "must be an object of strings");
  for (const auto& [name, value] : json.items()) {
    if (name.empty() || name.find('=') != std::string::npos) refuse(value, "is no name of a variable");
    if (!value.is_string() && !value.is_null()) refuse(value, "must be a string, or null to take the variable away");
    args.env[name] = value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
  }
}

mode_t read_umask(const Json& json) {
  const auto text = json.get<std::string>();
  const bool octal = !text.empty() && text.size() <= 5 && text.find_first_not_of("01234567") == std::string::npos;
  const long value = octal ? std::strtol(text.c_str(), nullptr, 8) : -1;
  if (value < 0 || value > 0777) refuse(json, "must be an octal string such as \"0022\"");
  return static_cast<mode_t>(value);
}

unsigned long read_count(const Json& json) {
  if (!json.is_number_integer() || json.get<double>() < 1 || json.get<double>() > 1e15) refuse(json, "must be a positive integer");
  return json.get<unsigned long>();
}

void read_limits(const Json& json, ExecArgs& args) {
  if (!json.is_object()) refuse(json, "must be an object");
  for (const auto& [name, value] : json.items()) {
    if (name == "cpu") args.cpu_limit = read_count(value);
    else if (name == "openFiles") args.open_files_limit = read_count(value);
    else if (name == "memory") args.memory_limit = read_count(value);
    else if (name == "tasks") args.tasks_limit = read_count(value);
    else refuse(value, "no such limit: cpu, memory, openFiles, tasks");
  }
}

void read_argv(const Json& json, ExecArgs& args) {
  json.get_to(args.argv);
  if (args.argv.empty() || args.argv.front().empty()) refuse(json, "must begin with a program");
}

// What systemd tells a service about itself: a command that believed it would speak for the daemon, take its sockets or write into its
// directories. INVOCATION_ID stays: the command does belong to this run of the unit.
bool is_the_managers(std::string_view name) {
  constexpr std::array<std::string_view, 15> names = {
      "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY", "FDSTORE",          "JOURNAL_STREAM",
      "LOGS_DIRECTORY",  "MAINPID",                 "MANAGERPID",            "MANAGERPIDFDID",   "NOTIFY_SOCKET",
      "PIDFILE",         "RUNTIME_DIRECTORY",       "STATE_DIRECTORY",       "SYSTEMD_EXEC_PID", "SYSTEMD_VARLINK_LISTEN"};
  if (std::find(names.begin(), names.end(), name) != names.end()) return true;
  for (std::string_view prefix : {"LISTEN_", "MEMORY_PRESSURE_", "TRIGGER_TIMER_", "WATCHDOG_"})
    if (name.starts_with(prefix)) return true;
  return name == "TRIGGER_UNIT" || name == "TRIGGER_PATH";
}

}  // namespace

const char* const exec_args_schema = R"({"type":"object","properties":{)"
    R"("argv":{"type":"array","items":{"type":"string"},"minItems":1},)"
    R"("shell":{"type":"string","minLength":1},)"
    R"("env":{"type":"object","additionalProperties":{"type":["string","null"]}},)"
    R"("cwd":{"type":"string","pattern":"^/"},)"
    R"("stdin":{"type":"string"},)"
    R"("umask":{"type":"string","pattern":"^[0-7]{1,5}$"},)"
    R"("limits":{"type":"object","properties":{"cpu":{"type":"integer","minimum":1},"memory":{"type":"integer","minimum":1},)"
    R"("openFiles":{"type":"integer","minimum":1},"tasks":{"type":"integer","minimum":1}},"additionalProperties":false}},)"
    R"("oneOf":[{"required":["argv"]},{"required":["shell"]}],"additionalProperties":false})";

void from_json(const Json& json, ExecArgs& args) {
  if (!json.is_object()) refuse(json, "must be an object");
  for (const auto& [name, value] : json.items()) {
    if (name != "argv" && name != "shell" && value.is_null()) continue;  // as if left out
    if (name == "argv") read_argv(value, args);
    else if (name == "shell") value.get_to(args.shell);
    else if (name == "env") read_env(value, args);
    else if (name == "cwd") value.get_to(args.cwd);
    else if (name == "stdin") args.input = value.get<std::string>();
    else if (name == "umask") args.umask = read_umask(value);
    else if (name == "limits") read_limits(value, args);
    else refuse(value, "no such argument");
  }
  if (!args.cwd.empty() && !args.cwd.starts_with('/')) refuse(json.at("cwd"), "must be an absolute path");
  if (json.contains("shell") && args.shell.empty()) refuse(json.at("shell"), "must not be empty");
  if (args.argv.empty() == args.shell.empty()) refuse(json, "must have either argv or shell");
}

void refuse_limits(const Json& json, bool memory, bool tasks) {
  const auto limits = json.find("limits");
  if (limits == json.end() || !limits->is_object()) return;
  for (const auto& [name, value] : limits->items()) {
    if (memory && name == "memory") refuse(value, "needs a cgroup with the memory controller (Delegate=yes), which is not there");
    if (tasks && name == "tasks") refuse(value, "needs a cgroup with the pids controller (Delegate=yes), which is not there");
  }
}

std::map<std::string, std::string> inherited_environment(const char* const* inherited) {
  std::map<std::string, std::string> environment;
  for (const char* const* entry = inherited; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || is_the_managers(text.substr(0, equals))) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

corun::Environment command_environment(corun::Environment inherited, const ExecArgs& args, std::string_view job_id) {
  inherited.set("CORUND_JOB_ID", job_id);
  for (const auto& [name, value] : args.env) {
    if (value)
      inherited.set(name, *value);
    else
      inherited.unset(name);
  }
  return inherited;
}

}  // namespace corund::kinds
