// SPDX-License-Identifier: MIT
// One table, the first row that fits counts. What is said of a parameter is everything that may be wrong with it: the daemon does not say which.
#include "client/invalid_parameter.hpp"

namespace corunctl {

namespace {

struct Row {
  std::string_view method;     // its last word; "Submit" is Run and SubmitMany as well; "*": any
  std::string_view parameter;  // its path, without the place among the jobs of SubmitMany, and with [] for any index; with .* at its end: all below
  std::string_view words;      // after the parameter's name
};

constexpr Row rows[] = {
    {"Submit", "args.limits.memory", "is kept by the daemon only where its unit has Delegate=yes, with cgroup v2 and the memory controller, as the unit "
                                     "that comes with corund does: 'systemctl edit corund'. There, it is a whole number of bytes, at least 1."},
    {"Submit", "args.limits.tasks", "is kept by the daemon only where its unit has Delegate=yes, with cgroup v2 and the pids controller, as the unit "
                                    "that comes with corund does: 'systemctl edit corund'. There, it is a whole number, at least 1."},
    {"Submit", "args", "is a JSON object, {\"name\": value}: 'corunctl kinds KIND' shows what a kind takes."},
    {"Submit", "args.*", "is missing, not known to this kind, or not what it takes there: 'corunctl kinds KIND' shows what it takes."},
    {"Submit", "kind", "is missing: 'corunctl kinds' shows those that there are."},
    {"Submit", "ack", "is memory or disk, and disk only with a daemon that has a store: this one may have none (store.path = \":memory:\", or started for "
                      "one connection without --state). Submit with --ack memory, which survives no restart."},
    {"Submit", "after", "names a job that is in memory only, and one that is kept on disk cannot come after that: submit the one it comes after with "
                        "--ack disk, or this one with --ack memory."},
    {"Submit", "after[]", "is not the id of a job, as 'corunctl list' shows them; or there are more than 1024 of them."},
    {"SubmitMany", "key", "has no place in a call with many jobs: submit this job by itself."},
    {"Submit", "key", "is a text of 1 to 256 bytes."},
    {"Submit", "context", "is 'shared', 'isolated' or a name of 1 to 128 bytes."},
    {"Submit", "group", "is a name of 1 to 128 bytes."},
    {"Submit", "labels.*", "is a text of at most 1024 bytes, with a name of at most 128; a job has at most 64 labels."},
    {"Submit", "timeout", "is a number of seconds, from 0 to 1000000000."},
    {"Submit", "grace", "is a number of seconds, from 0 to 1000000000."},
    {"Submit", "delay", "is a number of seconds, from 0 to 1000000000."},
    {"Submit", "priority", "is a whole number from -100 to 100."},
    {"Submit", "retry.max", "is how many attempts there are in all (--attempts), from 1 to 10000."},
    {"Submit", "retry.delay", "is a number of seconds (--retry-delay), from 0 to 1000000000."},
    {"Submit", "retry.backoff", "is a factor on the delay (--backoff), from 1 to 1000."},
    {"SubmitMany", "jobs", "is missing, or no list of jobs."},
    {"SubmitMany", "jobs[]", "is no job, or one more than the 10000 that a call may bring."},
    {"Wait", "timeout", "is a number of seconds, from 0 to 1000000000."},
    {"Cancel", "reason", "is a text of at most 1024 bytes."},
    {"Remove", "id", "is one job's id; or choose by states, kinds, groups, labels or untilUSec, but not by both, nor by nothing."},
    {"SetLogLevel", "level", "is a whole number from 0 to 7, as syslog has it: 3 is errors, 4 warnings, 5 notices, 6 infos, 7 everything."},
    {"SetGroup", "name", "is a name of 1 to 128 bytes."},
    {"SetGroup", "limit", "is how many jobs of the group may run at once, from 0 to 1000000000, or -1 for what the configuration says."},
    {"Pause", "group", "is the name of a group; without it, all groups are meant."},
    {"Resume", "group", "is the name of a group; without it, all groups are meant."},
    {"*", "id", "is missing, or not the id of a job, as 'corunctl list' shows them."},
    {"*", "upgrade", "is nothing that corund does with a connection."},
};

// "after[2]" of "jobs[7].after[2]", and that as "after[]".
std::string pattern_of(std::string_view parameter, bool is_batch) {
  if (auto place = parameter.find("]."); is_batch && parameter.starts_with("jobs[") && place != parameter.npos) parameter.remove_prefix(place + 2);
  std::string pattern;
  bool in_index = false;
  for (char byte : parameter) {
    if (byte == ']') in_index = false;
    if (!in_index) pattern += byte;
    if (byte == '[') in_index = true;
  }
  return pattern;
}

bool fits(const Row& row, std::string_view method, std::string_view pattern) {
  const bool submits = method == "Run" || method == "SubmitMany" || method == "Submit";
  if (row.method != "*" && row.method != method && !(row.method == "Submit" && submits)) return false;
  if (row.parameter.ends_with(".*")) return pattern.starts_with(row.parameter.substr(0, row.parameter.size() - 1));
  return row.parameter == pattern;
}

}  // namespace

std::string explain_invalid(std::string_view method, std::string_view parameter) {
  const std::size_t dot = method.rfind('.');
  const std::string_view name = method.substr(dot == method.npos ? 0 : dot + 1);
  const std::string pattern = pattern_of(parameter, name == "SubmitMany");
  const std::string words = "'" + std::string(parameter) + "' ";
  for (const Row& row : rows)
    if (fits(row, name, pattern)) return words + std::string(row.words);
  if (dot == method.npos) return words + "is missing, unknown, or not what it should be.";
  const std::string interface(method.substr(0, dot));
  return words + "is missing, unknown to " + std::string(name) + ", or not what it takes there. What it takes: 'man corunctl', or 'corunctl call "
         "org.varlink.service.GetInterfaceDescription interface=" + interface + "'.";
}

}  // namespace corunctl
