// SPDX-License-Identifier: MIT
// The kind `exec`: runs a command and is over when the command is.
//
// Its output goes to the job line by line, the end of it into the result. A cancelled job asks the command's process group to end
// (SIGTERM); asked a second time it ends it (SIGKILL). What the command leaves behind in its group is killed when it has ended. Where there are
// cgroups, "its group" is everything that the command ever started, whatever became of it.
#pragma once

#include <corund/plugin.hpp>
#include <cstddef>
#include <memory>
#include <string>

#include "daemon/kinds/cgroup.hpp"

namespace corund::kinds {

struct ExecOptions {
  std::string shell = "/bin/sh";           // runs `shell`
  std::size_t line_bytes = 48 * 1024;      // longer lines are cut
  std::size_t output_bytes = 64 * 1024;    // of each stream, in the result
  std::shared_ptr<CgroupTree> cgroups;     // null: none
};

void add_exec(KindRegistry& registry, ExecOptions options);

}  // namespace corund::kinds
