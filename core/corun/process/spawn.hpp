// SPDX-License-Identifier: MIT
// Floor 4. The birth of a child process: from a plan in which everything is prepared to a pid and its pidfd. No loop, no pipes, no
// waiting for its end: those are process.hpp's. Library-internal.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <corun/base/export.hpp>
#include <corun/base/unique_fd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corun::detail {

// Instead of one of the parent's descriptors: /dev/null, opened by the child.
inline constexpr int null_device = -2;

struct SpawnPlan {
  std::vector<std::string> argv;
  std::vector<std::string> candidates;         // paths to try, in this order
  std::vector<const char*> env;                // "NAME=value"; they live until spawn() has returned
  std::string cwd;                             // empty: the parent's
  std::array<int, 3> stdio = {0, 1, 2};        // the parent's descriptors, or null_device, to be the child's 0, 1, 2
  std::optional<mode_t> umask;
  std::vector<std::pair<int, rlimit>> limits;  // RLIMIT_... and its values
  int death_signal = 0;                        // sent to the child when the spawning thread ends; 0: none
  int cgroup = -1;                             // the directory of a cgroup (v2) to be born into; -1: the parent's
};

struct Spawned {
  pid_t pid = -1;
  UniqueFd pidfd;
};

// Starts the child in a process group of its own, with default signal dispositions, nothing blocked, and no descriptor but its
// three. Returns when the program runs. Blocks for the time of an exec.
// Errors: std::system_error that says which step failed, a StartError where the child got that far; then there is no child.
// Threads: any; death_signal speaks of the calling one.
CORUN_API Spawned spawn(const SpawnPlan& plan);

// The paths that a program's name stands for: itself where it holds a slash, else one in each directory of `path`.
CORUN_API std::vector<std::string> program_candidates(const std::string& program, const std::string& path);

}  // namespace corun::detail
