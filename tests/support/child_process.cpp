// SPDX-License-Identifier: MIT
#include "support/child_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

namespace tests {
namespace {

[[noreturn]] void be_child(const std::function<int()>& scenario, int errors_fd, unsigned seconds_max) {
  for (int signal : {SIGINT, SIGTERM, SIGALRM, SIGABRT, SIGSEGV}) ::signal(signal, SIG_DFL);
  ::dup2(errors_fd, STDERR_FILENO);
  ::alarm(seconds_max);
  int code = 99;
  try {
    code = scenario();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scenario threw: %s\n", error.what());
  } catch (...) {
    std::fputs("scenario threw\n", stderr);
  }
  std::fflush(stderr);
  ::_exit(code);
}

}  // namespace

ChildEnd in_child(const std::function<int()>& scenario, unsigned seconds_max) {
  std::fflush(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
  pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) be_child(scenario, ends[1], seconds_max);
  ::close(ends[1]);

  ChildEnd end;
  char buffer[4096];
  for (;;) {
    ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    if (n > 0)
      end.errors.append(buffer, static_cast<std::size_t>(n));
    else if (n == 0 || errno != EINTR)
      break;
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace tests
