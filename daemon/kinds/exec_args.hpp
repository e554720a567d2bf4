// SPDX-License-Identifier: MIT
// What the kind `exec` is told, and the environment that its commands start in.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
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
};

// JSON Schema of the args.
extern const char* const exec_args_schema;

// Errors: Json's, with the path of what is wrong.
void from_json(const Json& json, ExecArgs& args);

// The environment of a command: `inherited` ("NAME=value", as of this process) without what a service manager meant for the daemon alone,
// with the job's own variables and what the args say on top.
std::map<std::string, std::string> command_environment(const char* const* inherited, const ExecArgs& args, const std::string& job_id);

}  // namespace corund::kinds
