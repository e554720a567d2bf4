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

// From the text of a JSON object; no tree is built, a command's args are short and many. Limits of memory and of tasks need a cgroup:
// where there is none for them, they are refused by name. Errors: ArgsError.
ExecArgs read_exec_args(std::string_view text, bool has_memory_limit = true, bool has_tasks_limit = true);

// ExecArgs of a daemon that can keep to these limits, as a kind takes them.
template <bool memory, bool tasks>
struct ExecArgsWithin : ExecArgs {
  static ExecArgsWithin from_text(std::string_view text) { return {read_exec_args(text, memory, tasks)}; }
};

// JSON Schema of the args.
extern const char* const exec_args_schema;

// What all commands inherit: `inherited` ("NAME=value", as of this process) without what a service manager meant for the daemon alone.
std::map<std::string, std::string> inherited_environment(const char* const* inherited);

// The environment of a command: what all inherit, with the job's own variables and what the args say on top.
corun::Environment command_environment(corun::Environment inherited, const ExecArgs& args, std::string_view job_id);

}  // namespace corund::kinds
