// SPDX-License-Identifier: MIT
#include <corun/process/spawn.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <system_error>
#include <thread>

#include "support/catch.hpp"

using corun::UniqueFd;
using corun::detail::program_candidates;
using corun::detail::spawn;
using corun::detail::Spawned;
using corun::detail::SpawnPlan;

namespace {

SpawnPlan shell(const std::string& script) {
  SpawnPlan plan;
  plan.argv = {"sh", "-c", script};
  plan.candidates = {"/bin/sh"};
  plan.env = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  return plan;
}

int wait_for(const Spawned& child) {
  int status = -1;
  ::waitpid(child.pid, &status, 0);
  return status;
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

// What the child writes to its stdout.
std::string output_of(SpawnPlan plan) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reader(ends[0]), writer(ends[1]);
  plan.stdio[1] = writer.get();
  Spawned child = spawn(plan);
  writer.reset();
  std::string text = read_all(reader.get());
  CHECK(wait_for(child) == 0);
  return text;
}

std::string error_of(const SpawnPlan& plan, int expected) {
  try {
    spawn(plan);
  } catch (const std::system_error& error) {
    CHECK(error.code() == std::error_code(expected, std::generic_category()));
    return error.what();
  }
  FAIL("no error");
  return {};
}

bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

// A field of a /proc/PID/status text: "SigIgn:\t0000000000000000".
std::string status_field(const std::string& status, const std::string& name) {
  auto at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return {};
  at += name.size() + 3;
  return status.substr(at, status.find('\n', at) - at);
}

}  // namespace

TEST_CASE("a spawned child runs with its arguments and environment, and a pidfd that tells its end") {
  SpawnPlan plan = shell("echo \"$0 $1 [$X] [$HOME]\"; exit 0");
  plan.argv.insert(plan.argv.end(), {"zero", "one two"});
  plan.env.push_back("X=y z");
  CHECK(output_of(plan) == "zero one two [y z] []\n");
  Spawned child = spawn(shell("exit 3"));
  CHECK((::fcntl(child.pidfd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  siginfo_t info{};
  REQUIRE(::waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED) == 0);
  CHECK(info.si_pid == child.pid);
  CHECK(info.si_status == 3);
  CHECK(no_children());
}

TEST_CASE("a child leads a process group of its own") {
  Spawned child = spawn(shell("exec sleep 1000"));
  CHECK(::getpgid(child.pid) == child.pid);
  CHECK(::kill(-child.pid, SIGKILL) == 0);
  int status = wait_for(child);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

TEST_CASE("a child has default dispositions and nothing blocked, whatever its parent has") {
  auto old_pipe = ::signal(SIGPIPE, SIG_IGN);
  auto old_usr1 = ::signal(SIGUSR1, SIG_IGN);
  auto old_rt = ::signal(SIGRTMIN + 3, SIG_IGN);
  sigset_t block, before, after;
  ::sigemptyset(&block);
  ::sigaddset(&block, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &block, &before);
  std::string status = output_of(shell("exec cat /proc/self/status"));
  ::pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(status_field(status, "SigIgn") == "0000000000000000");
  CHECK(status_field(status, "SigBlk") == "0000000000000000");
  CHECK(::sigismember(&after, SIGTERM) == 1);  // the parent's own mask and dispositions are as they were
  CHECK(::signal(SIGPIPE, old_pipe) == SIG_IGN);
  ::signal(SIGUSR1, old_usr1);
  ::signal(SIGRTMIN + 3, old_rt);
}

TEST_CASE("a child has its three descriptors and no other, also of those that were left inheritable") {
  int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a careless library does it
  REQUIRE(leaked > 2);
  std::string list = output_of(shell("exec ls /proc/self/fd"));  // the fourth is ls's own
  ::close(leaked);
  CHECK(list == "0\n1\n2\n3\n");
}

TEST_CASE("descriptors of the parent that are 0, 1 and 2 themselves can change places") {
  // In a process of its own, whose 0, 1 and 2 are pipes given to the child in another order.
  const auto swapped = [] {
    int ends[2];
    if (::pipe(ends) != 0) return 1;
    ::dup2(ends[1], 0);
    ::dup2(::open("/dev/null", O_RDWR), 1);
    SpawnPlan plan = shell("echo to-stdout; echo to-stderr >&2");
    plan.stdio = {1, 0, 0};
    wait_for(spawn(plan));
    ::close(0);
    ::close(ends[1]);
    return read_all(ends[0]) == "to-stdout\nto-stderr\n" ? 0 : 2;
  };
  pid_t process = ::fork();
  if (process == 0) ::_exit(swapped());
  int status = -1;
  ::waitpid(process, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("directory, umask and limits are the child's, and not its parent's") {
  SpawnPlan plan = shell("pwd; umask; ulimit -Sn; ulimit -Hn");
  plan.cwd = "/usr";
  plan.umask = 027;
  plan.limits = {{RLIMIT_NOFILE, rlimit{100, 200}}};
  const auto here = std::filesystem::current_path();
  CHECK(output_of(plan) == "/usr\n0027\n100\n200\n");
  CHECK(std::filesystem::current_path() == here);
}

TEST_CASE("a step that fails is named, and leaves neither child nor descriptor") {
  const auto before = open_descriptors();
  SpawnPlan missing = shell("");
  missing.candidates = {"/nowhere/sh", "/nowhere/else/sh"};
  CHECK(error_of(missing, ENOENT) == "cannot start sh: exec: No such file or directory");
  SpawnPlan directory = shell("");
  directory.cwd = "/nowhere";
  CHECK(error_of(directory, ENOENT) == "cannot start sh: changing to the directory /nowhere: No such file or directory");
  SpawnPlan limits = shell("");
  limits.limits = {{RLIMIT_NOFILE, rlimit{200, 100}}};
  CHECK(error_of(limits, EINVAL) == "cannot start sh: setrlimit: Invalid argument");
  SpawnPlan stdio = shell("");
  stdio.stdio[2] = 987654;
  CHECK(error_of(stdio, EBADF) == "cannot start sh: setting up stdin, stdout and stderr: Bad file descriptor");
  SpawnPlan zero = shell(std::string("a\0b", 3));
  CHECK(error_of(zero, EINVAL).find("zero byte") != std::string::npos);
  CHECK(error_of(SpawnPlan{}, EINVAL).find("without a program") != std::string::npos);
  CHECK(no_children());
  CHECK(open_descriptors() == before);
}

TEST_CASE("candidates are tried in order, and one that may not be run is told where none can") {
  char name[] = "/tmp/corun-spawn-XXXXXX";
  int fd = ::mkstemp(name);
  ::close(fd);  // not executable
  SpawnPlan plan = shell("echo found");
  plan.candidates = {"/nowhere/sh", "/etc/passwd/sh", name, "/bin/sh"};
  CHECK(output_of(plan) == "found\n");
  plan.candidates = {name, "/nowhere/sh"};
  CHECK(error_of(plan, EACCES) == "cannot start sh: exec " + std::string(name) + ": Permission denied");
  ::unlink(name);
}

TEST_CASE("a program's name stands for a file in each directory of the path") {
  using List = std::vector<std::string>;
  CHECK(program_candidates("ls", "/a:/b") == List{"/a/ls", "/b/ls"});
  CHECK(program_candidates("ls", ":/b:") == List{"./ls", "/b/ls", "./ls"});
  CHECK(program_candidates("./ls", "/a") == List{"./ls"});
  CHECK(program_candidates("/bin/ls", "") == List{"/bin/ls"});
  CHECK(program_candidates("", "/a").empty());
}

TEST_CASE("a child with a death signal goes with its parent") {
  // The parent is a process of its own that spawns and is killed; we are told of the grandchild's end by the pipe it holds.
  int ends[2], pids[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(pids, O_CLOEXEC) == 0);
  pid_t parent = ::fork();
  if (parent == 0) {
    SpawnPlan plan = shell("exec sleep 1000");
    plan.stdio[1] = ends[1];
    plan.death_signal = SIGKILL;
    Spawned child = spawn(plan);
    if (::write(pids[1], &child.pid, sizeof child.pid) < 0) ::_exit(1);
    ::pause();
  }
  ::close(ends[1]);
  pid_t grandchild = 0;
  REQUIRE(::read(pids[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(read_all(ends[0]).empty());  // returns when the grandchild, the last holder of the other end, is gone
  ::close(ends[0]);
  ::close(pids[0]);
  ::close(pids[1]);
}

TEST_CASE("children can be spawned from several threads at once") {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) good += wait_for(spawn(shell("exit 0"))) == 0;
    });
  for (auto& thread : threads) thread.join();
  CHECK(good == 100);
  CHECK(no_children());
}
