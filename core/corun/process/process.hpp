// SPDX-License-Identifier: MIT
// Floor 4. Child processes: create_subprocess() and the Process it returns. asyncio's subprocess, with these differences: a child has a
// process group of its own, it is killed when the thread that runs the loop ends, and one whose Process is dropped is killed too.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <corun/base/export.hpp>
#include <corun/coro/coro.hpp>
#include <corun/process/environment.hpp>
#include <corun/process/pipe.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace corun {

// What a child's stdin, stdout or stderr is.
class Stdio {
 public:
  static Stdio inherit() noexcept { return Stdio(Kind::inherit); }  // the parent's own
  static Stdio null() noexcept { return Stdio(Kind::null); }        // /dev/null
  static Stdio pipe() noexcept { return Stdio(Kind::pipe); }        // to be read or written here
  static Stdio to_stdout() noexcept { return Stdio(Kind::to_stdout); }        // for stderr: where stdout goes
  static Stdio fd(int fd) noexcept { return Stdio(Kind::fd, fd); }  // a copy of this descriptor, which stays the caller's

  enum class Kind { inherit, null, pipe, to_stdout, fd };
  Kind kind() const noexcept { return kind_; }
  int number() const noexcept { return number_; }

 private:
  explicit Stdio(Kind kind, int number = -1) noexcept : kind_(kind), number_(number) {}
  Kind kind_;
  int number_;
};

// How a child is started. To be named before it stands in a co_await expression where its arguments are in braces (g++ 12).
class ProcessOptions {
 public:
  explicit ProcessOptions(std::vector<std::string> arguments) : argv(std::move(arguments)) {}

  std::vector<std::string> argv;                          // argv[0] names the program; without a slash it is looked for in PATH
  std::string executable;                                 // the program, where it is not argv[0]
  std::optional<Environment> env;                         // all of its environment, PATH for the search too; unset: the parent's
  std::string cwd;                                        // empty: the parent's
  Stdio std_in = Stdio::inherit();
  Stdio std_out = Stdio::inherit();
  Stdio std_err = Stdio::inherit();
  std::optional<mode_t> umask;
  std::vector<std::pair<int, rlimit>> limits;             // RLIMIT_... and its values
  int death_signal = SIGKILL;                             // when the thread that runs the loop ends; 0: none
  bool end_group = false;                                 // when the child has ended, SIGKILL what is left of its group
  int cgroup = -1;                                        // the directory of a cgroup (v2), for it to be born into; stays the caller's
};

// How a child ended, and what it used, with what its own children used if it waited for them.
class ExitStatus {
 public:
  ExitStatus() noexcept = default;

  int code = 0;            // what it returned; 0 where a signal ended it
  int signal = 0;          // the signal that ended it; 0: none
  bool dumped_core = false;
  double cpu_seconds = 0;  // user and system
  long max_rss_kib = 0;    // at least what this process had at the start: the kernel counts from before the exec

  bool success() const noexcept { return code == 0 && signal == 0; }
  // asyncio's figure: the code, or minus the signal.
  int returncode() const noexcept { return signal ? -signal : code; }
};

// A child that did not come to run its program.
class CORUN_API StartError : public std::system_error {
 public:
  StartError(int error, const std::string& what, bool is_program)
      : std::system_error(error, std::generic_category(), what), is_program_(is_program) {}
  // The program is not there or cannot be executed; not one of the steps before (its directory, a limit).
  bool is_program() const noexcept { return is_program_; }

 private:
  bool is_program_;
};

// What communicate() gives: all that the process wrote, and how it ended.
class Communicated {
 public:
  Communicated() = default;
  std::string out;  // empty where stdout, stderr is no pipe
  std::string err;
  ExitStatus status;
};

namespace detail {
class Child;
}

// A child and the pipes to it. Move-only. Dropped while the child runs, it is killed with its group, and the loop reaps it: no zombie and no descriptor is left.
// Threads: the loop's.
class CORUN_API Process {
 public:
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  pid_t pid() const noexcept;
  // Nothing while it runs; looks no further than the loop has got.
  const std::optional<ExitStatus>& status() const noexcept;

  // Errors: RuntimeError where it is no pipe.
  PipeWriter& std_in();
  PipeReader& std_out();
  PipeReader& std_err();

  // Returns when it has ended and is reaped. Many may wait. Cancellation: the child is left alone.
  Coro<ExitStatus> wait();
  // Whether it has ended and is reaped, as soon as that is so, or so much later. Cancellation: the child is left alone.
  Coro<bool> has_ended_within(std::chrono::nanoseconds limit);
  // Writes input to stdin and closes it, reads stdout and stderr to their ends, waits. A child that does not read all of its input is no
  // error. Cancellation: what was read is lost; the child is left alone. Lifetime: the Process outlives the await. Source: asyncio.
  Coro<Communicated> communicate(std::string input = {});

  // To the child alone, as asyncio. False: it has ended. Errors: std::system_error.
  bool send_signal(int signal);
  bool terminate() { return send_signal(SIGTERM); }
  bool kill() { return send_signal(SIGKILL); }
  // To its whole group, which need not be only its children's.
  bool signal_group(int signal);

 private:
  friend Coro<Process> create_subprocess(ProcessOptions options);
  Process(std::shared_ptr<detail::Child> child, PipeWriter in, PipeReader out, PipeReader err) noexcept;

  std::shared_ptr<detail::Child> child_;  // the loop's wait for its end, or a waiter, is the last one out
  PipeWriter in_;
  PipeReader out_;
  PipeReader err_;
};

// Starts a child; returns when the program runs.
// Errors: std::system_error that names the step which failed ("cannot start ls: exec: No such file or directory"), a StartError where
// the child was made.
CORUN_API Coro<Process> create_subprocess(ProcessOptions options);

}  // namespace corun
