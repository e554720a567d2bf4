// SPDX-License-Identifier: MIT
// The child is a clone with the parent's memory (CLONE_VM | CLONE_VFORK): no page tables are copied, however large the daemon, and an
// error comes back through a word of memory. The price: until the exec the child is a guest in a live process whose other threads run on. So
// it calls nothing but raw system calls: no allocation, no lock, no libc function that keeps state (nor a sanitizer's idea of one).
//
// posix_spawn() does the same but has no parent-death signal, no resource limits, no umask, no pidfd, and on Debian 12 no chdir that
// is not a GNU extension's.
#include <corun/process/spawn.hpp>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <system_error>

// glibc's clone() by its other name: the thread sanitizer replaces the first by one that takes every clone for a fork, and does in the
// parent's memory what is meant for a child's.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept;

namespace corun::detail {
namespace {

enum class Step : int { none, group, parent, signals, stdio, umask, limits, directory, exec };

const char* name_of(Step step) {
  switch (step) {
    case Step::none: break;
    case Step::group: return "setpgid";
    case Step::parent: return "PR_SET_PDEATHSIG";
    case Step::signals: return "resetting signals";
    case Step::stdio: return "setting up stdin, stdout and stderr";
    case Step::umask: return "umask";
    case Step::limits: return "setrlimit";
    case Step::directory: return "changing to the directory";
    case Step::exec: return "exec";
  }
  return "clone";
}

// Everything the child touches, made by the parent beforehand.
struct Errand {
  char* const* argv;
  char* const* env;
  char* const* candidates;
  const char* cwd;  // null: stay
  std::array<int, 3> stdio;
  const std::pair<int, rlimit>* limits;
  std::size_t limit_count;
  long umask;  // -1: leave
  int death_signal;
  pid_t parent;
  // Written by the child, read by the parent after it.
  volatile int failed_step = 0;
  volatile int error = 0;
};

constexpr int signals_max = 64;
constexpr std::size_t kernel_sigset_bytes = 8;
// Deep enough for system calls and an exec's path; the kernel copies arguments from where they are.
constexpr std::size_t stack_bytes = 64 * 1024;

#define CORUN_GUEST __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

CORUN_GUEST void fail(Errand& errand, Step step) {
  errand.failed_step = static_cast<int>(step);
  errand.error = errno;
  ::syscall(SYS_exit_group, 127);
}

// The three descriptors in their places. A source that is another one's place is moved out of the way first.
CORUN_GUEST bool place_stdio(Errand& errand) {
  for (int target = 0; target < 3; ++target) {
    int& source = errand.stdio[static_cast<unsigned>(target)];
    if (source > 2 || source == target) continue;
    source = static_cast<int>(::syscall(SYS_fcntl, source, F_DUPFD_CLOEXEC, 3));
    if (source < 0) return false;
  }
  for (int target = 0; target < 3; ++target) {
    const int source = errand.stdio[static_cast<unsigned>(target)];
    // dup3 refuses equal descriptors, and this one only has to lose its close-on-exec.
    const long done = source == target ? ::syscall(SYS_fcntl, target, F_SETFD, 0) : ::syscall(SYS_dup3, source, target, 0);
    if (done < 0) return false;
  }
  return true;
}

CORUN_GUEST int child(void* argument) {
  Errand& errand = *static_cast<Errand*>(argument);
  if (::syscall(SYS_setpgid, 0, 0) != 0) fail(errand, Step::group);
  if (errand.death_signal) {
    if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, errand.death_signal, 0, 0, 0) != 0) fail(errand, Step::parent);
    // The parent may have died before the line above; then no signal will come.
    if (::syscall(SYS_getppid) != errand.parent) ::syscall(SYS_exit_group, 127);
  }
  // A zeroed record is SIG_DFL. Ignored ones would outlive the exec (systemd starts services with SIGPIPE ignored), and a handler of the
  // parent's must not run here once signals are let through.
  const std::uint64_t zeros[4] = {0, 0, 0, 0};
  for (int signal = 1; signal <= signals_max; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) ::syscall(SYS_rt_sigaction, signal, zeros, nullptr, kernel_sigset_bytes);
  if (!place_stdio(errand)) fail(errand, Step::stdio);
  if (errand.umask >= 0) ::syscall(SYS_umask, errand.umask);
  for (std::size_t i = 0; i < errand.limit_count; ++i)
    if (::syscall(SYS_prlimit64, 0, errand.limits[i].first, &errand.limits[i].second, nullptr) != 0) fail(errand, Step::limits);
  if (errand.cwd && ::syscall(SYS_chdir, errand.cwd) != 0) fail(errand, Step::directory);
  // What somebody opened without close-on-exec. A kernel without the call (before 5.11) leaves it at that.
  ::syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
  if (::syscall(SYS_rt_sigprocmask, SIG_SETMASK, zeros, nullptr, kernel_sigset_bytes) != 0) fail(errand, Step::signals);

  // As execvp: a candidate that is not there or may not be run gives way to the next one; the refusal is what is told in the end.
  int refused = 0;
  for (char* const* path = errand.candidates; *path; ++path) {
    ::syscall(SYS_execve, *path, errand.argv, errand.env);
    if (errno == EACCES) refused = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR) fail(errand, Step::exec);
  }
  if (refused) errno = refused;
  fail(errand, Step::exec);
  return 127;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  list.reserve(strings.size() + 1);
  for (const std::string& text : strings) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

void check(const SpawnPlan& plan) {
  if (plan.argv.empty() || plan.candidates.empty())
    throw std::system_error(EINVAL, std::generic_category(), "cannot start a process without a program");
  const auto whole = [](const std::string& text) { return text.find('\0') == std::string::npos; };
  bool good = whole(plan.cwd);
  for (const auto* strings : {&plan.argv, &plan.candidates, &plan.env})
    for (const std::string& text : *strings) good = good && whole(text);
  // A zero byte would cut the string where the kernel stops reading.
  if (!good) throw std::system_error(EINVAL, std::generic_category(), "cannot start a process: an argument holds a zero byte");
}

}  // namespace

Spawned spawn(const SpawnPlan& plan) {
  check(plan);
  const auto argv = pointers(plan.argv), env = pointers(plan.env), candidates = pointers(plan.candidates);
  Errand errand{.argv = argv.data(),
                .env = env.data(),
                .candidates = candidates.data(),
                .cwd = plan.cwd.empty() ? nullptr : plan.cwd.c_str(),
                .stdio = plan.stdio,
                .limits = plan.limits.data(),
                .limit_count = plan.limits.size(),
                .umask = plan.umask ? static_cast<long>(*plan.umask) : -1,
                .death_signal = plan.death_signal,
                .parent = ::getpid()};
  // Not zeroed: the child is its first user.
  std::unique_ptr<std::byte[]> stack(new std::byte[stack_bytes]);
  auto top = reinterpret_cast<std::uintptr_t>(stack.get() + stack_bytes) & ~std::uintptr_t{15};

  // No handler of ours may run in the child, which would be on our memory.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  const pid_t pid = ::__clone(child, reinterpret_cast<void*>(top), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &errand, &pidfd);
  const int clone_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) throw std::system_error(clone_error, std::generic_category(), "cannot start " + plan.argv[0] + ": clone");

  Spawned spawned{pid, UniqueFd(pidfd)};
  if (errand.failed_step == 0) return spawned;
  // It is exiting; this waits for the moment until it has.
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) continue;
  const Step step = static_cast<Step>(errand.failed_step);
  std::string what = "cannot start " + plan.argv[0] + ": " + name_of(step);
  if (step == Step::directory) what += " " + plan.cwd;
  throw std::system_error(errand.error, std::generic_category(), what);
}

std::vector<std::string> program_candidates(const std::string& program, const std::string& path) {
  if (program.empty()) return {};
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> candidates;
  for (std::size_t begin = 0;;) {
    const std::size_t end = path.find(':', begin);
    const std::string directory = path.substr(begin, end == std::string::npos ? end : end - begin);
    // An empty part means the current directory, since always.
    candidates.push_back((directory.empty() ? std::string(".") : directory) + "/" + program);
    if (end == std::string::npos) return candidates;
    begin = end + 1;
  }
}

}  // namespace corun::detail
