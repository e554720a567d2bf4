// SPDX-License-Identifier: MIT
// The child is a clone with the parent's memory (CLONE_VM | CLONE_VFORK): no page tables are copied, however large the daemon, and an
// error comes back through a word of memory. The price: until the exec the child is a guest in a live process whose other threads run on. So
// it calls nothing but raw system calls: no allocation, no lock, no libc function that keeps state (nor a sanitizer's idea of one).
//
// posix_spawn() does the same but has no parent-death signal, no resource limits, no umask, no pidfd, and on Debian 12 no chdir that
// is not a GNU extension's.
#include <corun/process/process.hpp>
#include <corun/process/spawn.hpp>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
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

enum class Step : int { none, cgroup, group, parent, signals, stdio, umask, limits, directory, exec };

const char* name_of(Step step) {
  switch (step) {
    case Step::none: break;
    case Step::cgroup: return "joining its cgroup";
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
  int cgroup = -1;  // to be joined by the child itself
  // Written by the child, read by the parent after it.
  volatile int failed_step = 0;
  volatile int refused_candidate = -1;  // the one whose refusal is told
  volatile int error = 0;
};

constexpr int signals_max = 64;
constexpr std::size_t kernel_sigset_bytes = 8;
// Deep enough for system calls: the kernel copies arguments from where they are. malloc has blocks of this size at hand; one of 64 KiB makes
// it tidy up its heap each time.
constexpr std::size_t stack_bytes = 16 * 1024;

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
    if (source == null_device) source = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
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

CORUN_GUEST bool join_cgroup(int directory) {
  const long procs = ::syscall(SYS_openat, directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  return procs >= 0 && ::syscall(SYS_write, procs, "0", 1) == 1;
}

CORUN_GUEST int child(void* argument) {
  Errand& errand = *static_cast<Errand*>(argument);
  if (errand.cgroup >= 0 && !join_cgroup(errand.cgroup)) fail(errand, Step::cgroup);
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
  for (int i = 0; errand.candidates[i]; ++i) {
    ::syscall(SYS_execve, errand.candidates[i], errand.argv, errand.env);
    if (errno == ENOENT || errno == ENOTDIR) continue;
    if (!refused || errno != EACCES) errand.refused_candidate = i;
    if (errno != EACCES) fail(errand, Step::exec);
    refused = EACCES;
  }
  if (refused) errno = refused;
  fail(errand, Step::exec);
  return 127;
}

// Into its cgroup from its first moment. A process that is there already is moved by a write to cgroup.procs, for which the kernel halts every
// fork and exit on the machine for some milliseconds; here that would be the loop's time as well, which waits for the exec. glibc has no wrapper
// for clone3() that takes a stack, and a child on its parent's would ruin the frame that both return into: hence the assembly. Where there is none
// for a processor, or an old kernel or a filter does not know the call, the child writes. 0: try that.
pid_t clone_into_cgroup([[maybe_unused]] int cgroup, [[maybe_unused]] std::byte* stack, [[maybe_unused]] Errand& errand,
                        [[maybe_unused]] int& pidfd) {
#if defined(__x86_64__) && defined(CLONE_INTO_CGROUP)
  clone_args args{};
  args.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.stack = reinterpret_cast<std::uintptr_t>(stack);
  args.stack_size = stack_bytes;
  args.cgroup = static_cast<std::uint64_t>(cgroup);
  long result = SYS_clone3;
  int (*function)(void*) = child;
  asm volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %[argument], %%rdi\n\t"
      "call *%[function]\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(&args), "S"(sizeof args), [argument] "d"(&errand), [function] "b"(function)
      : "rcx", "r11", "memory", "cc");
  if (result >= 0) return static_cast<pid_t>(result);
  errno = static_cast<int>(-result);
  return errno == ENOSYS ? 0 : -1;
#else
  return 0;
#endif
}

const char* text_of(const std::string& text) { return text.c_str(); }
const char* text_of(const char* text) { return text; }

// As exec wants them, which does not write to them.
template <class Text>
std::vector<char*> pointers(const std::vector<Text>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const Text& text : texts) list.push_back(const_cast<char*>(text_of(text)));
  list.push_back(nullptr);
  return list;
}

void check(const SpawnPlan& plan) {
  if (plan.argv.empty() || plan.candidates.empty())
    throw std::system_error(EINVAL, std::generic_category(), "cannot start a process without a program");
  const auto whole = [](const std::string& text) { return text.find('\0') == std::string::npos; };
  bool good = whole(plan.cwd);
  for (const auto* strings : {&plan.argv, &plan.candidates})
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
  struct alignas(16) Stack {
    std::byte bytes[stack_bytes];
  };
  const std::unique_ptr<Stack> stack(new Stack);

  // No handler of ours may run in the child, which would be on our memory.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  pid_t pid = plan.cgroup >= 0 ? clone_into_cgroup(plan.cgroup, stack->bytes, errand, pidfd) : 0;
  if (pid == 0) {
    errand.cgroup = plan.cgroup;
    pid = ::__clone(child, stack->bytes + stack_bytes, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &errand, &pidfd);
  }
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
  if (errand.refused_candidate >= 0) {
    const std::string& path = plan.candidates[static_cast<std::size_t>(errand.refused_candidate)];
    if (path != plan.argv[0]) what += " " + path;
  }
  throw StartError(errand.error, what, step == Step::exec);
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
