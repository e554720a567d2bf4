// SPDX-License-Identifier: MIT
// What a command leaves: the result of its job, or the failure.
#pragma once

#include <corun/process/process.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/job/json.hpp"
#include "daemon/job/outcome.hpp"
#include "daemon/kinds/exec_args.hpp"

namespace corund::kinds {

// How it went: the kernel's figures for the command and what it waited for, or its cgroup's for all that it started.
struct Measured {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::optional<std::int64_t> memory_peak_kib;
  std::uint64_t oom_kills = 0;
};

// The result, an object as exec_result_schema says, written into what text holds memory for.
JsonText exec_result(JsonText text, const corun::ExitStatus& status, const Measured& measured, std::string_view out_tail,
                     std::string_view err_tail);

extern const char* const exec_result_schema;

// Of a command that did not end with status 0.
JobFailure exec_failure(const corun::ExitStatus& status, const Measured& measured, const ExecArgs& args, JsonText result);

// Of one that could not be started, as in a shell: 127 where the program is not there, 126 where it cannot be executed.
JobFailure not_started(const corun::StartError& error);

}  // namespace corund::kinds
