// SPDX-License-Identifier: MIT
// Commands in cgroups of their own, where a service manager has delegated a subtree to the daemon (Delegate=yes, cgroup v2): what a command
// starts cannot leave it, so that the whole tree can be counted, limited and ended, daemonised grandchildren too. Where nothing is
// delegated, nothing here touches anything.
#pragma once

#include <chrono>
#include <corun/base/unique_fd.hpp>
#include <corun/coro/coro.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corund::kinds {

// What a command's cgroup may hold. Unset: as much as the daemon's own.
struct CgroupLimits {
  std::optional<std::uint64_t> memory_bytes;  // swap none
  std::optional<std::uint64_t> tasks;         // processes and threads
};

class CgroupTree;

// One command's cgroup. The destructor kills what is in it and removes it; what cannot be removed yet, the tree removes later.
class Cgroup {
 public:
  Cgroup(std::shared_ptr<CgroupTree> tree, std::string name, corun::UniqueFd directory) noexcept;
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  // Its directory, for a child to be born into.
  int fd() const noexcept { return directory_.get(); }

  bool is_empty() const;
  // SIGKILL to every process in it and below it.
  void kill() noexcept;
  // Returns when it is empty. Cancellation: safe. Errors: std::system_error.
  corun::Coro<> emptied();

  // Of all that ever ran in it. Nothing where the kernel does not tell.
  std::optional<double> cpu_seconds() const;
  std::optional<std::int64_t> memory_peak_kib() const;
  // Processes that the kernel killed for want of memory, at its limit or the machine's.
  std::uint64_t oom_kills() const;

 private:
  std::shared_ptr<CgroupTree> tree_;
  std::string name_;
  corun::UniqueFd directory_;
};

// What take_over() found: a tree, or none; and a remark where it is not as one would wish.
struct TakenOver {
  std::shared_ptr<CgroupTree> tree;
  std::string remark;
};

// The subtree that is the daemon's: the daemon itself in the leaf `daemon`, each command in `job-ID`.
class CgroupTree : public std::enable_shared_from_this<CgroupTree> {
 public:
  // Moves this process out of `directory`, its own cgroup, into the leaf; lets memory and tasks be limited below where the kernel and the manager
  // do; and ends what a former daemon left there, for which it waits no longer than the limit. Nothing happens where `directory` is not
  // marked as delegated, or another daemon lives in it.
  static TakenOver take_over(const std::string& directory, std::chrono::milliseconds limit = std::chrono::seconds(5));
  // The same for wherever this process is. Empty where there is no cgroup v2.
  static TakenOver take_over();

  CgroupTree(std::string path, corun::UniqueFd directory, bool memory, bool tasks) noexcept;

  const std::string& path() const noexcept { return path_; }
  bool limits_memory() const noexcept { return limits_memory_; }
  bool limits_tasks() const noexcept { return limits_tasks_; }

  // Errors: std::system_error.
  std::unique_ptr<Cgroup> make(std::string_view job_id, const CgroupLimits& limits);
  // SIGKILL to all commands. For a process that is about to die.
  void kill_all() noexcept;

 private:
  friend class Cgroup;
  void remove(const std::string& name) noexcept;

  std::string path_;
  corun::UniqueFd directory_;
  bool limits_memory_;
  bool limits_tasks_;
  std::vector<std::string> left_;  // were not empty when they should have been removed
};

// The directory of this process's cgroup in the v2 hierarchy; empty where there is none.
std::string own_cgroup();

}  // namespace corund::kinds
