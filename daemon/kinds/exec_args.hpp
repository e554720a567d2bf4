// SPDX-License-Identifier: MIT
// What the kind `exec` is told, and the environment that its commands start in.
#pragma once

#include <sys/types.h>

#include <corun/process/environment.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/job/json.hpp"

namespace corund::kinds {

struct ExecArgs {
  std::vector<std::string> argv;  // this
  std::string shell;              // or this, for the shell
  std::map<std::string, std::optional<std::string>> env;  // laid over the daemon's; null takes a variable away
  std::string cwd;                // empty: the daemon's
  std::optional<std::string> input;  // `stdin`; unset: /dev/null
  std::optional<mode_t> umask;
  std::optional<unsigned long> cpu_limit;         // seconds of CPU time; then SIGXCPU, a second later SIGKILL
  std::optional<unsigned long> open_files_limit;
  std::optional<unsigned long> memory_limit;      // bytes, of all its processes together
  std::optional<unsigned long> tasks_limit;       // processes and threads
};

// The same where only some limits can be kept to: those of memory and of tasks need a cgroup. The others are refused by name.
template <bool memory, bool tasks>
struct ExecArgsWithin : ExecArgs {};

// JSON Schema of the args.
extern const char* const exec_args_schema;

// Errors: Json's, with the path of what is wrong.
void from_json(const Json& json, ExecArgs& args);
void refuse_limits(const Json& json, bool memory, bool tasks);
template <bool memory, bool tasks>
void from_json(const Json& json, ExecArgsWithin<memory, tasks>& args) {
  from_json(json, static_cast<ExecArgs&>(args));
  refuse_limits(json, !memory, !tasks);
}

// What all commands inherit: `inherited` ("NAME=value", as of this process) without what a service manager meant for the daemon alone.
std::map<std::string, std::string> inherited_environment(const char* const* inherited);

// The environment of a command: what all inherit, with the job's own variables and what the args say on top.
corun::Environment command_environment(corun::Environment inherited, const ExecArgs& args, std::string_view job_id);

}  // namespace corund::kinds
