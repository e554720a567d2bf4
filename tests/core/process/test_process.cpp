// SPDX-License-Identifier: MIT
#include <corun/process/process.hpp>

#include <corun/corun.hpp>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "support/catch.hpp"

using namespace corun;
using namespace std::chrono_literals;

namespace {

ProcessOptions shell(const std::string& script) {
  ProcessOptions options(std::vector<std::string>{"sh", "-c", script});
  options.std_in = Stdio::null();
  options.std_out = Stdio::pipe();
  options.std_err = Stdio::pipe();
  return options;
}

bool no_children() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

std::size_t open_descriptors() {
  std::size_t n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

// Until the process is gone altogether: its pidfd is readable. Not ours to reap.
bool wait_gone(pid_t pid) {
  for (int i = 0; i < 3000; ++i) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    ::usleep(10'000);
  }
  return false;
}

// A line that the child writes when it is up; the way to know that it has got so far.
Coro<std::string> first_line(Process& process) {
  std::string line;
  char c = 0;
  while (co_await process.std_out().read_some(std::span<char>(&c, 1)) == 1 && c != '\n') line += c;
  co_return line;
}

}  // namespace

TEST_CASE("communicate gives stdin, takes stdout and stderr, and waits") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("cat; echo err >&2; exit 7");
    options.std_in = Stdio::pipe();
    Process process = co_await create_subprocess(options);
    CHECK(process.pid() > 0);
    Communicated all = co_await process.communicate("input");
    CHECK(all.out == "input");
    CHECK(all.err == "err\n");
    CHECK(all.status.code == 7);
    CHECK(all.status.returncode() == 7);
    CHECK_FALSE(all.status.success());
    REQUIRE(process.status().has_value());
    CHECK(process.status()->code == 7);
  }());
  CHECK(no_children());
}

TEST_CASE("megabytes go through both ways at once") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("exec cat");
    options.std_in = Stdio::pipe();
    Process process = co_await create_subprocess(options);
    const std::string input(5'000'000, 'x');
    Communicated all = co_await process.communicate(input);
    CHECK(all.out == input);
    CHECK(all.status.success());
  }());
}

TEST_CASE("a child that does not read its input is no error") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("exec true");
    options.std_in = Stdio::pipe();
    Process process = co_await create_subprocess(options);
    Communicated all = co_await process.communicate(std::string(1'000'000, 'x'));
    CHECK(all.status.success());
  }());
}

TEST_CASE("who waits for a child for so long is told whether it has ended, and waits no longer than that") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("read line; exit 3");
    options.std_in = Stdio::pipe();
    Process process = co_await create_subprocess(options);
    const bool at_once = co_await process.has_ended_within(1ms);
    CHECK_FALSE(at_once);
    auto patient = create_task(process.has_ended_within(1h));
    auto impatient = create_task(process.has_ended_within(1h));
    co_await sleep(0s);
    impatient.cancel();
    process.std_in().close();
    const bool in_time = co_await patient;
    CHECK(in_time);
    CHECK(process.status()->code == 3);
    const bool after = co_await process.has_ended_within(0s);
    CHECK(after);
    bool cancelled = false;
    try {
      co_await impatient;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    CHECK(cancelled);
  }());
}

TEST_CASE("many may wait for a child, also after its end, and one who gives up does not matter") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("echo up; read line; exit 3");
    options.std_in = Stdio::pipe();
    Process process = co_await create_subprocess(options);
    {
      const auto got = co_await first_line(process);
      CHECK(got == "up");
    }
    auto first = create_task(process.wait());
    auto second = create_task(process.wait());
    auto impatient = create_task(process.wait());
    co_await sleep(0s);
    impatient.cancel();
    CHECK_FALSE(process.status().has_value());
    process.std_in().close();
    {
      const auto got = co_await first;
      CHECK(got.code == 3);
    }
    {
      const auto got = co_await second;
      CHECK(got.code == 3);
    }
    {
      const auto got = co_await process.wait();
      CHECK(got.code == 3);
    }
    bool cancelled = false;
    try {
      co_await impatient;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    CHECK(cancelled);
    CHECK_FALSE(process.kill());  // it has ended
    CHECK_FALSE(process.signal_group(SIGKILL));
  }());
  CHECK(no_children());
}

TEST_CASE("terminate and kill end a child by their signals") {
  run([]() -> Coro<> {
    Process a = co_await create_subprocess(shell("exec sleep 1000"));
    CHECK(a.terminate());
    ExitStatus ended = co_await a.wait();
    CHECK(ended.signal == SIGTERM);
    CHECK(ended.returncode() == -SIGTERM);
    Process b = co_await create_subprocess(shell("trap '' TERM; echo up; while :; do sleep 0.1; done"));
    {
      const auto got = co_await first_line(b);
      CHECK(got == "up");
    }
    CHECK(b.terminate());
    CHECK(b.kill());
    {
      const auto got = co_await b.wait();
      CHECK(got.signal == SIGKILL);
    }
  }());
}

TEST_CASE("a signal to the group reaches grandchildren") {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess(shell("sleep 1000 & echo $!; wait"));
    const pid_t grandchild = std::stoi(co_await first_line(process));
    CHECK(::getpgid(grandchild) == process.pid());
    CHECK(process.signal_group(SIGKILL));
    {
      const auto got = co_await process.wait();
      CHECK(got.signal == SIGKILL);
    }
    {
      const auto got = co_await process.std_out().read_all();
      CHECK(got == "");
    }  // the grandchild held the other end
    CHECK(wait_gone(grandchild));
  }());
}

TEST_CASE("end_group ends what a child leaves behind; without it, it stays") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("sleep 1000 & echo $!");
    options.end_group = true;
    Process process = co_await create_subprocess(options);
    const pid_t left = std::stoi(co_await first_line(process));
    {
      const auto got = co_await process.wait();
      CHECK(got.success());
    }
    {
      const auto got = co_await process.std_out().read_all();
      CHECK(got == "");
    }
    CHECK(wait_gone(left));

    Process other = co_await create_subprocess(shell("sleep 1000 & echo $!"));
    const pid_t stays = std::stoi(co_await first_line(other));
    {
      const auto got = co_await other.wait();
      CHECK(got.success());
    }
    CHECK(::kill(stays, 0) == 0);
    ::kill(stays, SIGKILL);
  }());
}

TEST_CASE("directory, environment, umask, limits and the search for the program are as asked") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("pwd; umask; ulimit -n; echo $A; env | wc -l");
    options.cwd = "/usr";
    options.umask = 077;
    options.limits = {{RLIMIT_NOFILE, rlimit{64, 64}}};
    options.env = std::map<std::string, std::string>{{"A", "b c"}, {"PATH", "/usr/bin:/bin"}};
    Process process = co_await create_subprocess(options);
    Communicated all = co_await process.communicate();
    CHECK(all.out == "/usr\n0077\n64\nb c\n3\n");  // A, PATH, and the shell's own PWD
    ProcessOptions elsewhere(std::vector<std::string>{"sh"});
    elsewhere.env.emplace().set("PATH", "/nowhere");
    std::string what;
    try {
      co_await create_subprocess(elsewhere);
    } catch (const std::system_error& error) {
      CHECK(error.code() == std::errc::no_such_file_or_directory);
      what = error.what();
    }
    CHECK(what == "cannot start sh: exec: No such file or directory");
    ProcessOptions renamed(std::vector<std::string>{"another name", "-c", "echo $0"});
    renamed.executable = "sh";
    renamed.std_out = Stdio::pipe();
    Process other = co_await create_subprocess(renamed);
    {
      const auto got = co_await other.communicate();
      CHECK(got.out == "another name\n");
    }
  }());
}

TEST_CASE("stdio can be null, a descriptor of the parent's, or stdout for stderr") {
  run([]() -> Coro<> {
    ProcessOptions options = shell("cat; echo out; echo err >&2");
    options.std_err = Stdio::to_stdout();
    Process both = co_await create_subprocess(options);
    {
      const auto got = co_await both.communicate();
      CHECK(got.out == "out\nerr\n");
    }
    CHECK_THROWS_AS(both.std_err(), RuntimeError);
    CHECK_THROWS_AS(both.std_in(), RuntimeError);

    char name[] = "/tmp/corun-process-XXXXXX";
    UniqueFd file(::mkstemp(name));
    options.std_out = Stdio::fd(file.get());
    Process to_file = co_await create_subprocess(options);
    {
      const auto got = co_await to_file.communicate();
      CHECK(got.out == "");
    }
    char buffer[64];
    auto n = ::pread(file.get(), buffer, sizeof buffer, 0);
    CHECK(std::string(buffer, n > 0 ? static_cast<std::size_t>(n) : 0) == "out\nerr\n");
    ::unlink(name);
  }());
}

TEST_CASE("what a child used is told") {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess(shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
    ExitStatus status = co_await process.wait();
    CHECK(status.cpu_seconds > 0.001);
    CHECK(status.max_rss_kib > 100);
  }());
}

TEST_CASE("cancelling communicate leaves the child alone, and its task unwinds at once") {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess(shell("echo up; exec sleep 1000"));
    auto task = create_task(process.communicate());
    co_await sleep(0s);
    task.cancel();
    bool cancelled = false;
    try {
      co_await task;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    CHECK(cancelled);
    CHECK_FALSE(process.status().has_value());
    CHECK(::kill(process.pid(), 0) == 0);
  }());
  CHECK(no_children());
}

TEST_CASE("a process that is dropped is killed and reaped, with its descriptors") {
  run([]() -> Coro<> {
    const auto before = open_descriptors();
    pid_t pid = 0;
    {
      Process process = co_await create_subprocess(shell("sleep 1000 & wait"));
      pid = process.pid();
    }
    for (int i = 0; i < 3000 && !no_children(); ++i) co_await sleep(10ms);
    CHECK(no_children());
    // Its own child was killed with it and is reaped by whoever inherits orphans, in its own time.
    for (int i = 0; i < 3000 && ::kill(-pid, 0) == 0; ++i) co_await sleep(10ms);
    CHECK(::kill(-pid, 0) != 0);
    CHECK(open_descriptors() == before);
  }());
}

TEST_CASE("a loop that closes takes its children with it") {
  std::optional<Process> outlives;
  run([](std::optional<Process>& process) -> Coro<> {
    process = co_await create_subprocess(shell("exec sleep 1000"));
    (void)co_await create_subprocess(shell("exec sleep 1000"));
  }(outlives));
  CHECK(no_children());
  REQUIRE(outlives->status().has_value());
  CHECK(outlives->status()->signal == SIGKILL);
  outlives.reset();
}

TEST_CASE("a hundred children at once leave nothing behind") {
  run([]() -> Coro<> {
    const auto before = open_descriptors();
    {
      std::vector<Process> processes;
      std::vector<Task<Communicated>> tasks;
      processes.reserve(100);
      for (int i = 0; i < 100; ++i) {
        processes.push_back(co_await create_subprocess(shell("echo " + std::to_string(i) + "; exit " + std::to_string(i))));
        tasks.push_back(create_task(processes.back().communicate()));
      }
      for (int i = 0; i < 100; ++i) {
        Communicated all = co_await tasks[static_cast<std::size_t>(i)];
        CHECK(all.out == std::to_string(i) + "\n");
        CHECK(all.status.code == i);
      }
    }
    CHECK(open_descriptors() == before);
  }());
  CHECK(no_children());
}
