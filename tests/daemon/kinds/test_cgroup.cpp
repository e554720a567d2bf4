// SPDX-License-Identifier: MIT
#include "daemon/kinds/cgroup.hpp"

#include <corun/corun.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "support/catch.hpp"
#include "support/cgroup.hpp"

using namespace corund::kinds;
using namespace std::chrono_literals;

namespace {

constexpr const char* no_cgroup = "no cgroup can be made here";

// A child in a cgroup, that waits to be killed.
pid_t sleeper_in(const std::string& directory) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int procs = ::open((directory + "/cgroup.procs").c_str(), O_WRONLY);
    const bool moved = ::write(procs, "0", 1) == 1;
    (void)!::write(ready[1], moved ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char moved = 0;
  REQUIRE(::read(ready[0], &moved, 1) == 1);
  ::close(ready[0]);
  ::close(ready[1]);
  REQUIRE(moved == 'y');
  return pid;
}

// What a daemon would do in a cgroup, in a child that is there; its answer is the child's exit status.
int in_child(const tests::ScratchCgroup& cgroup, const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (!cgroup.write("cgroup.procs", "0")) ::_exit(100);
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int killed_by(pid_t pid) {
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a cgroup that nobody has delegated is left alone") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  CHECK(in_child(cgroup, [&] { return CgroupTree::take_over(cgroup.path()).tree ? 1 : 0; }) == 0);
  CHECK_FALSE(cgroup.has("daemon"));
}

TEST_CASE("a process moves into a leaf of what is delegated to it") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  cgroup.delegate();
  CHECK(in_child(cgroup, [&] {
          const TakenOver taken = CgroupTree::take_over();
          if (!taken.tree || !taken.remark.empty()) return 1;
          if (taken.tree->path() != cgroup.path()) return 2;
          return own_cgroup() == cgroup.path() + "/daemon" ? 0 : 3;
        }) == 0);
}

TEST_CASE("where another daemon lives nothing is taken over") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  cgroup.delegate();
  CHECK(in_child(cgroup, [&] {
          const TakenOver first = CgroupTree::take_over();
          return in_child(cgroup, [&] {
            const TakenOver second = CgroupTree::take_over();
            return !second.tree && second.remark.find("another daemon") != std::string::npos ? 0 : 1;
          });
        }) == 0);
}

TEST_CASE("what a former daemon left is killed and removed, with what is below it") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  cgroup.delegate();
  const std::string job = cgroup.path() + "/job-01ABC", inner = job + "/inner";
  REQUIRE(::mkdir(job.c_str(), 0755) == 0);
  REQUIRE(::mkdir(inner.c_str(), 0755) == 0);
  REQUIRE(::mkdir((cgroup.path() + "/job-empty").c_str(), 0755) == 0);
  REQUIRE(::mkdir((cgroup.path() + "/other").c_str(), 0755) == 0);
  const pid_t outer_one = sleeper_in(job), inner_one = sleeper_in(inner);
  CHECK(in_child(cgroup, [&] { return CgroupTree::take_over().tree ? 0 : 1; }) == 0);
  CHECK(killed_by(outer_one) == SIGKILL);
  CHECK(killed_by(inner_one) == SIGKILL);
  CHECK(cgroup.count("job-") == 0);
  CHECK(cgroup.has("other"));
}

TEST_CASE("a job's cgroup tells when it is empty, is emptied by a kill, and goes with its owner") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  corun::UniqueFd directory(::open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto tree = std::make_shared<CgroupTree>(cgroup.path(), std::move(directory), false, false);
  auto job = tree->make("01ABC", {});
  CHECK(job->is_empty());
  const pid_t pid = sleeper_in(cgroup.path() + "/job-01ABC");
  CHECK_FALSE(job->is_empty());
  CHECK(job->cpu_seconds().has_value());
  corun::run([](Cgroup& of) -> corun::Coro<> {
    auto emptied = corun::create_task(of.emptied());
    co_await corun::sleep(0s);
    CHECK_FALSE(emptied.done());
    of.kill();
    co_await corun::wait_for(emptied, 30s);
  }(*job));
  CHECK(killed_by(pid) == SIGKILL);
  CHECK(job->is_empty());
  job.reset();
  CHECK(cgroup.count("job-") == 0);
}

TEST_CASE("a cgroup that is not empty yet is removed later, and a further attempt gets another one") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  corun::UniqueFd directory(::open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto tree = std::make_shared<CgroupTree>(cgroup.path(), std::move(directory), false, false);
  auto first = tree->make("01ABC", {});
  const pid_t pid = sleeper_in(cgroup.path() + "/job-01ABC");
  auto second = tree->make("01ABC", {});
  CHECK(cgroup.has("job-01ABC.2"));
  second.reset();
  CHECK_FALSE(cgroup.has("job-01ABC.2"));
  first.reset();  // kills, and cannot remove before the process is gone
  CHECK(killed_by(pid) == SIGKILL);
  while (cgroup.read("cgroup.events").find("populated 1") != std::string::npos) ::usleep(1000);
  auto third = tree->make("01XYZ", {});
  CHECK_FALSE(cgroup.has("job-01ABC"));
  CHECK(cgroup.has("job-01XYZ"));
}

TEST_CASE("limits are written where the controllers are") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  const std::string offered = cgroup.read("cgroup.controllers");
  if (offered.find("memory") == std::string::npos || offered.find("pids") == std::string::npos)
    CORUND_SKIP("the memory and pids controllers are not in the v2 hierarchy");
  cgroup.delegate();
  CHECK(in_child(cgroup, [&] {
          const TakenOver taken = CgroupTree::take_over();
          if (!taken.tree || !taken.tree->limits_memory() || !taken.tree->limits_tasks()) return 1;
          auto job = taken.tree->make("01ABC", {64 << 20, 7});
          if (cgroup.read("job-01ABC/memory.max") != "67108864\n" || cgroup.read("job-01ABC/pids.max") != "7\n") return 2;
          return job->memory_peak_kib() ? 0 : 3;
        }) == 0);
}

TEST_CASE("a limit that cannot be kept is an error, and nothing is left") {
  tests::ScratchCgroup cgroup;
  if (!cgroup) CORUND_SKIP(no_cgroup);
  corun::UniqueFd directory(::open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto tree = std::make_shared<CgroupTree>(cgroup.path(), std::move(directory), true, true);
  CHECK_THROWS_AS(tree->make("01ABC", {1 << 20, {}}), std::system_error);
  CHECK(cgroup.count("job-") == 0);
}
