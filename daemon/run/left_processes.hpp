// SPDX-License-Identifier: MIT
// Commands that outlived the daemon that started them: found by what was recorded, and ended for certain.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace corund::run {

// Field 22 of /proc/PID/stat; 0 where there is no such process.
std::int64_t process_start_ticks(pid_t pid);

// Kills the process group that a job's command led, where it is still that: its leader is the very process that was recorded, or a member's
// environment bears the job's id. Returns when nothing of it is left, or after a second. Touches nothing else.
void end_left_process(pid_t pid, std::int64_t start_ticks, std::string_view job_id);

// Kills every process whose environment bears one of these jobs' ids, as commands and what they start inherit it: for those that had
// not been recorded yet, and for those that left their group. Looks at every process once, and again while it finds some, for a second at most.
void end_left_processes(const std::set<std::string, std::less<>>& job_ids);

}  // namespace corund::run
