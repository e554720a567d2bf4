// SPDX-License-Identifier: MIT
// What the store keeps, row by row, as plain data: the store does not know what a job is, run/ledger
// translates. Views in a row that is written are copied before the call returns; views in a row that is read
// live until the visitor returns. Times are microseconds since the epoch. The columns bear the members'
// names.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace corund::store {

// The place of a job in the order of acceptance, and its key in every table. From 1 on; never used again
// while the store exists.
using Seq = std::int64_t;

// What was asked for; never changed after it was written. Table `job`.
struct JobRow {
  Seq seq = 0;
  std::string_view id;
  std::string_view kind;
  std::string_view args;     // JSON object
  std::string_view context;  // "shared", "isolated" or a name
  std::string_view group;
  int priority = 0;
  uid_t owner_uid = 0;
  std::int64_t submitted_us = 0;
  std::int64_t eligible_us = 0;            // not to be started earlier
  std::optional<std::int64_t> started_us;  // its first attempt began with the submission: one commit for both
  std::string_view options;  // JSON object: what few submissions say (timeout, grace, retry, after, key,
                             // labels, attached); empty: nothing
};

// One attempt. Written when it begins, written again when it has ended. Table `attempt`; number counts
// from 1. An attempt that began with the submission has no row until it has ended.
struct AttemptRow {
  Seq seq = 0;
  int number = 0;
  std::int64_t started_us = 0;
  std::optional<std::int64_t> ended_us;
  std::string_view state;  // how it ended; empty while it runs
  std::string_view error_type;
  std::string_view error_message;
  std::optional<std::int64_t> next_us;  // ended, and another attempt is due then; the job is not over
  std::string_view usage;               // JSON object of what was measured; empty: nothing
};

// How the job ended. A job with this row is over. Table `outcome`.
struct OutcomeRow {
  Seq seq = 0;
  std::string_view state;
  std::int64_t ended_us = 0;
  std::string_view result;  // JSON object; empty: none
  std::string_view error_type;
  std::string_view error_message;
  std::string_view reason;       // of a cancellation
  std::string_view leftovers;    // JSON array of names; empty: none
  std::string_view stdout_tail;  // bytes
  std::string_view stderr_tail;
};

// A command that a running job has started, so that one that outlives the daemon can be found. Table
// `process`; gone with the attempt.
struct ProcessRow {
  Seq seq = 0;
  pid_t pid = 0;
  std::int64_t start_ticks = 0;  // field 22 of /proc/PID/stat
};

// What an administrator set. Table `group_setting`.
struct GroupRow {
  std::string_view name;  // "" stands for all groups (a pause of the whole daemon)
  std::optional<std::int64_t> limit;
  bool paused = false;
};

// Who is told of rows that are read. Unset functions are passed over.
struct Recovery {
  std::function<void(const GroupRow&)> group;
  std::function<void(const JobRow&)> job;
  std::function<void(const AttemptRow&)> attempt;
  std::function<void(const ProcessRow&)> process;
  std::function<void(const OutcomeRow&)> outcome;
};

}  // namespace corund::store
