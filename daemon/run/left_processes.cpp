// SPDX-License-Identifier: MIT
// A pid is used again, and so is a process group's id while nobody of the group is left; that is why neither is believed alone.
#include "daemon/run/left_processes.hpp"

#include <dirent.h>
#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace corund::run {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The n-th field of /proc/PID/stat, counted from 1 as proc(5) does; those after the program's name only. It may hold anything, so they
// are counted from the last ')'.
std::int64_t stat_field(pid_t pid, int n) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::size_t at = text.rfind(')');
  for (int field = 2; field < n && at != std::string::npos; ++field) at = text.find(' ', at + 1);
  return at == std::string::npos ? 0 : std::strtoll(text.c_str() + at, nullptr, 10);
}

// The job that the process was started for, by itself or by what started it; empty: none.
std::string job_of(pid_t pid) {
  constexpr std::string_view name("\0CORUND_JOB_ID=", 15);
  const std::string environment = '\0' + read_file("/proc/" + std::to_string(pid) + "/environ") + '\0';
  const std::size_t at = environment.find(name);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size();
  return environment.substr(begin, environment.find('\0', begin) - begin);
}

template <class F>
void for_each_process(F&& visit) {
  DIR* proc = ::opendir("/proc");
  if (!proc) return;
  while (const dirent* entry = ::readdir(proc))
    if (const pid_t pid = static_cast<pid_t>(std::atoi(entry->d_name)); pid > 1) visit(pid);
  ::closedir(proc);
}

// They are not our children: nothing tells of their end.
constexpr timespec pause{0, 5'000'000};
constexpr int looks = 200;

bool group_is_of_job(pid_t group, std::string_view job_id) {
  constexpr int process_group = 5;
  bool found = false;
  for_each_process([&](pid_t pid) { found = found || (stat_field(pid, process_group) == group && job_of(pid) == job_id); });
  return found;
}

}  // namespace

std::int64_t process_start_ticks(pid_t pid) { return stat_field(pid, 22); }

void end_left_process(pid_t pid, std::int64_t start_ticks, std::string_view job_id) {
  if (pid <= 1 || ::kill(-pid, 0) != 0) return;
  const bool is_leader = start_ticks != 0 && process_start_ticks(pid) == start_ticks && job_of(pid) == job_id;
  if (!is_leader && !group_is_of_job(pid, job_id)) return;
  ::kill(-pid, SIGKILL);
  for (int i = 0; i < looks && ::kill(-pid, 0) == 0; ++i) ::nanosleep(&pause, nullptr);
}

void end_left_processes(const std::set<std::string, std::less<>>& job_ids) {
  if (job_ids.empty()) return;
  bool found = true;
  for (int i = 0; i < looks && found; ++i) {
    if (i > 0) ::nanosleep(&pause, nullptr);
    found = false;
    for_each_process([&](pid_t pid) {
      if (!job_ids.contains(job_of(pid))) return;
      found = true;
      ::kill(pid, SIGKILL);
    });
  }
}

}  // namespace corund::run
