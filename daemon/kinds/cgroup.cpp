// SPDX-License-Identifier: MIT
// A cgroup belongs to whoever it is delegated to, and systemd says so by an attribute on its directory. That the directory can be written to
// says nothing: root can write to all of them, and a user to those of its whole session.
//
// A command never shares the daemon's leaf: processes live in leaves only (the kernel's rule once controllers are handed down), and the daemon must
// not be in what it kills.
#include "daemon/kinds/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <corun/process/changing_file.hpp>
#include <fstream>
#include <sstream>
#include <system_error>

namespace corund::kinds {
namespace {

constexpr const char* leaf = "daemon";
constexpr std::string_view job_prefix = "job-";

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

corun::UniqueFd open_directory(int at, const std::string& path) {
  return corun::UniqueFd(::openat(at, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

std::string read_at(int directory, const char* name) {
  corun::UniqueFd file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  std::string text(4096, '\0');
  const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : -1;
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

bool write_at(int directory, const char* name, std::string_view text) noexcept {
  corun::UniqueFd file(::openat(directory, name, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// The number behind a word at the start of a line, as in cgroup.events and cpu.stat.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ') continue;
    line.remove_prefix(word.size() + 1);
    std::uint64_t value = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), value).ec == std::errc()) return value;
  }
  return std::nullopt;
}

bool is_populated(std::string_view events) { return number_of(events, "populated").value_or(0) != 0; }

bool holds_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string each; words >> each;)
    if (each == word) return true;
  return false;
}

bool is_delegated(const std::string& directory) {
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(directory.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

std::vector<std::string> directories_in(int directory, std::string_view prefix) {
  std::vector<std::string> names;
  corun::UniqueFd copy = open_directory(directory, ".");
  DIR* listing = copy ? ::fdopendir(copy.get()) : nullptr;
  if (!listing) return names;
  copy.release();
  while (const dirent* entry = ::readdir(listing))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && std::string_view(entry->d_name).starts_with(prefix)) names.emplace_back(entry->d_name);
  ::closedir(listing);
  return names;
}

// With what a command made below it.
bool remove_tree(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
  corun::UniqueFd directory = open_directory(parent, name);
  if (!directory || is_populated(read_at(directory.get(), "cgroup.events"))) return false;
  for (const std::string& inner : directories_in(directory.get(), "")) remove_tree(directory.get(), inner);
  return ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
}

// Blocks; for the start, when there is nobody yet who could be kept waiting.
bool wait_until_empty(int directory, std::chrono::steady_clock::time_point until) {
  corun::UniqueFd events(::openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC));
  for (;;) {
    char text[256];
    const ssize_t n = ::pread(events.get(), text, sizeof text, 0);
    if (n <= 0 || !is_populated({text, static_cast<std::size_t>(n)})) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd change{events.get(), POLLPRI, 0};
    if (left <= 0 || (::poll(&change, 1, static_cast<int>(left)) == 0)) return false;
  }
}

// How many commands of a former daemon's do not go.
std::size_t end_left(int directory, std::chrono::milliseconds limit) {
  const auto names = directories_in(directory, job_prefix);
  for (const std::string& name : names)
    if (corun::UniqueFd job = open_directory(directory, name)) write_at(job.get(), "cgroup.kill", "1");
  const auto until = std::chrono::steady_clock::now() + limit;
  std::size_t stuck = 0;
  for (const std::string& name : names) {
    corun::UniqueFd job = open_directory(directory, name);
    if (job && !(wait_until_empty(job.get(), until) && remove_tree(directory, name))) ++stuck;
  }
  return stuck;
}

}  // namespace

Cgroup::Cgroup(std::shared_ptr<CgroupTree> tree, std::string name, corun::UniqueFd directory) noexcept
    : tree_(std::move(tree)), name_(std::move(name)), directory_(std::move(directory)) {}

Cgroup::~Cgroup() {
  if (::unlinkat(tree_->directory_.get(), name_.c_str(), AT_REMOVEDIR) == 0) return;
  kill();
  tree_->remove(name_);
}

bool Cgroup::is_empty() const { return !is_populated(read_at(fd(), "cgroup.events")); }

void Cgroup::kill() noexcept { write_at(fd(), "cgroup.kill", "1"); }

corun::Coro<> Cgroup::emptied() {
  corun::UniqueFd file(::openat(fd(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  if (!file) fail("cannot read " + name_ + "/cgroup.events");
  corun::ChangingFile events(std::move(file));
  while (is_populated(events.read())) co_await events.changed();
}

std::optional<double> Cgroup::cpu_seconds() const {
  const auto microseconds = number_of(read_at(fd(), "cpu.stat"), "usage_usec");
  return microseconds ? std::optional(static_cast<double>(*microseconds) * 1e-6) : std::nullopt;
}

std::optional<std::int64_t> Cgroup::memory_peak_kib() const {
  const std::string text = read_at(fd(), "memory.peak");
  std::int64_t bytes = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec != std::errc()) return std::nullopt;
  return bytes / 1024;
}

std::uint64_t Cgroup::oom_kills() const { return number_of(read_at(fd(), "memory.events"), "oom_kill").value_or(0); }

CgroupTree::CgroupTree(std::string path, corun::UniqueFd directory, bool memory, bool tasks) noexcept
    : path_(std::move(path)), directory_(std::move(directory)), limits_memory_(memory), limits_tasks_(tasks) {}

TakenOver CgroupTree::take_over() {
  const std::string directory = own_cgroup();
  return directory.empty() ? TakenOver() : take_over(directory);
}

TakenOver CgroupTree::take_over(const std::string& path, std::chrono::milliseconds limit) {
  if (!is_delegated(path)) return {};
  const auto refused = [&](const char* what) { return TakenOver{nullptr, "the cgroup " + path + " is delegated, but " + what}; };
  corun::UniqueFd root = open_directory(AT_FDCWD, path);
  if (!root || (::mkdirat(root.get(), leaf, 0755) != 0 && errno != EEXIST)) return refused("nothing can be made in it");
  corun::UniqueFd own = open_directory(root.get(), leaf);
  if (!own) return refused("its leaf cannot be opened");
  if (is_populated(read_at(own.get(), "cgroup.events"))) return refused("another daemon lives in it");
  if (!write_at(own.get(), "cgroup.procs", "0")) return refused("this process cannot be moved within it");
  const std::string offered = read_at(root.get(), "cgroup.controllers");
  for (const char* controller : {"memory", "pids"})
    if (holds_word(offered, controller)) write_at(root.get(), "cgroup.subtree_control", std::string("+") + controller);
  const std::string handed_down = read_at(root.get(), "cgroup.subtree_control");
  const std::size_t stuck = end_left(root.get(), limit);
  TakenOver taken{std::make_shared<CgroupTree>(path, std::move(root), holds_word(handed_down, "memory"), holds_word(handed_down, "pids")), {}};
  if (stuck) taken.remark = std::to_string(stuck) + " cgroups of commands that a former daemon started do not become empty";
  return taken;
}

std::unique_ptr<Cgroup> CgroupTree::make(std::string_view job_id, const CgroupLimits& limits) {
  std::erase_if(left_, [this](const std::string& name) { return remove_tree(directory_.get(), name); });
  std::string name = std::string(job_prefix) + std::string(job_id);
  int made = ::mkdirat(directory_.get(), name.c_str(), 0755);
  // What an attempt before this one left may still be dying.
  for (int n = 2; made != 0 && errno == EEXIST; ++n) {
    name = std::string(job_prefix) + std::string(job_id) + "." + std::to_string(n);
    made = ::mkdirat(directory_.get(), name.c_str(), 0755);
  }
  if (made != 0) fail("cannot make the cgroup " + path_ + "/" + name);
  auto cgroup = std::make_unique<Cgroup>(shared_from_this(), name, open_directory(directory_.get(), name));
  if (cgroup->fd() < 0) fail("cannot open the cgroup " + path_ + "/" + name);
  const auto limit = [&](const char* file, std::uint64_t value) {
    if (!write_at(cgroup->fd(), file, std::to_string(value))) fail("cannot set " + std::string(file));
  };
  if (limits.memory_bytes) {
    limit("memory.max", *limits.memory_bytes);
    write_at(cgroup->fd(), "memory.swap.max", "0");  // not there without swap accounting
    write_at(cgroup->fd(), "memory.oom.group", "1");
  }
  if (limits.tasks) limit("pids.max", *limits.tasks);
  return cgroup;
}

void CgroupTree::remove(const std::string& name) noexcept {
  try {
    if (!remove_tree(directory_.get(), name)) left_.push_back(name);
  } catch (const std::bad_alloc&) {
    // The next daemon removes it.
  }
}

void CgroupTree::kill_all() noexcept {
  try {
    end_left(directory_.get(), std::chrono::milliseconds(0));
  } catch (const std::bad_alloc&) {
    // The manager kills what the daemon leaves.
  }
}

std::string own_cgroup() {
  std::string path;
  std::ifstream cgroups("/proc/self/cgroup");
  for (std::string line; std::getline(cgroups, line);)
    if (line.starts_with("0::")) path = line.substr(3);
  if (path.empty() || path.find("/..") != std::string::npos) return {};
  // mountinfo: id parent device root mount-point options [optional...] - type source options.
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string skipped, root, mount_point;
    fields >> skipped >> skipped >> skipped >> root >> mount_point;
    if (root == "/") root.clear();
    if (path.starts_with(root)) return mount_point + path.substr(root.size());
  }
  return {};
}

}  // namespace corund::kinds
