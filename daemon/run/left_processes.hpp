// SPDX-License-Identifier: MIT
// Commands that outlived the daemon that started them: found by what was recorded, and ended for certain.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace corund::run {

// Field 22 of /proc/PID/stat; 0 where there is no such process.
std::int64_t process_start_ticks(pid_t pid);

// Kills the process group that a job's command led, where it is still that: its leader is the very process that was recorded, or a member's
// environment bears the job's id. Returns when nothing of it is left, or after a second. Touches nothing else.
void end_left_process(pid_t pid, std::int64_t start_ticks, std::string_view job_id);

}  // namespace corund::run
