// SPDX-License-Identifier: MIT
#include "daemon/kinds/exec_args.hpp"

#include <algorithm>
#include <array>
#include <corund/plugin.hpp>
#include <cstdlib>
#include <string_view>

#include "daemon/wire/object.hpp"

namespace corund::kinds {
namespace {

using wire::ObjectReader;

bool read_argv(ObjectReader& in, ExecArgs& args) {
  if (in.type() != wire::JsonType::array || !in.read(args.argv)) return in.fail();
  return (!args.argv.empty() && !args.argv.front().empty()) || in.fail();
}

bool read_env(ObjectReader& in, ExecArgs& args) {
  return in.read_object([&](ObjectReader& variables) {
    while (variables.next()) {
      const std::string name(variables.key());
      if (name.empty() || name.find('=') != std::string::npos || args.env.contains(name)) return void(variables.fail());
      variables.read(args.env[name]);
    }
  });
}

bool read_umask(ObjectReader& in, ExecArgs& args) {
  std::string text;
  if (!in.read(text)) return false;
  const bool octal = !text.empty() && text.size() <= 5 && text.find_first_not_of("01234567") == std::string::npos;
  const long value = octal ? std::strtol(text.c_str(), nullptr, 8) : -1;
  if (value < 0 || value > 0777) return in.fail();
  args.umask = static_cast<mode_t>(value);
  return true;
}

// The limits that this daemon can keep to; why it cannot to the one that was refused.
struct Limits {
  bool has_memory, has_tasks;
  std::string_view why = {};
};

std::optional<unsigned long>* limit_of(std::string_view name, ExecArgs& args, Limits& limits) {
  if (name == "cpu") return &args.cpu_limit;
  if (name == "openFiles") return &args.open_files_limit;
  if (name == "memory" && limits.has_memory) return &args.memory_limit;
  if (name == "tasks" && limits.has_tasks) return &args.tasks_limit;
  limits.why = name == "memory"  ? "needs a cgroup with the memory controller (Delegate=yes), which is not there"
               : name == "tasks" ? "needs a cgroup with the pids controller (Delegate=yes), which is not there"
                                 : "is no limit: there are cpu, memory, openFiles, tasks";
  return nullptr;
}

bool read_limits(ObjectReader& in, ExecArgs& args, Limits& limits) {
  return in.read_object([&](ObjectReader& members) {
    while (members.next()) {
      auto* const limit = limit_of(members.key(), args, limits);
      std::int64_t count = 0;
      if (!limit) return void(members.fail());
      if (members.read(count, 1, 1'000'000'000'000'000)) *limit = static_cast<unsigned long>(count);
    }
  });
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

ExecArgs read_exec_args(std::string_view text, bool has_memory_limit, bool has_tasks_limit) {
  if (wire::json_type(text) != wire::JsonType::object) throw ArgsError("", "must be an object");
  ExecArgs args;
  ObjectReader in(text);
  Limits limits{has_memory_limit, has_tasks_limit};
  bool has_argv = false, has_shell = false;
  while (in.next()) {
    const std::string_view name = in.key();
    if (name == "argv") has_argv = read_argv(in, args);
    else if (name == "shell") has_shell = (in.read(args.shell) && !args.shell.empty()) || in.fail();
    else if (name == "env") read_env(in, args);
    else if (name == "cwd") in.is_null() || (in.read(args.cwd) && (args.cwd.empty() || args.cwd.starts_with('/'))) || in.fail();
    else if (name == "stdin") in.read(args.input);
    else if (name == "umask") in.is_null() || read_umask(in, args);
    else if (name == "limits") read_limits(in, args, limits);
    else in.fail();
  }
  if (!in.ok()) throw limits.why.empty() ? ArgsError(in.wrong()) : ArgsError(in.wrong(), limits.why);
  if (has_argv == has_shell) throw ArgsError("", "must have either argv or shell");
  return args;
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
