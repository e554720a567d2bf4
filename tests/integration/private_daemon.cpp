// SPDX-License-Identifier: MIT
#include "integration/private_daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/catch.hpp"

namespace tests {

PrivateDaemon::PrivateDaemon(PrivateOptions options) {
  int in[2] = {options.in, -1}, out[2] = {-1, options.out};
  if (options.in < 0) REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
  if (options.out < 0) REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  in_ = in[1];
  out_ = out[0];
  write_file(directory_ / "corund.toml", "[plugins]\ndirectories = []\n");
  std::vector<std::string> arguments = {CORUND_BINARY, "--config", directory_ / "corund.toml"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string log = directory_ / "log";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::dup2(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
    for (const char* name : {"JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_USEC", "STATE_DIRECTORY", "CORUND_SOCKET"}) ::unsetenv(name);
    for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
    unsigned first = 3;
    if (options.passed >= 0) {
      if (options.passed == 3)
        ::fcntl(3, F_SETFD, 0);
      else
        ::dup2(options.passed, 3);
      ::setenv("LISTEN_FDS", "1", 1);
      ::setenv("LISTEN_FDNAMES", options.passed_name.c_str(), 1);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      first = 4;
    }
    ::syscall(SYS_close_range, first, ~0u, 0u);
    for (int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_DFL);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  if (options.in < 0) ::close(in[0]);
  if (options.out < 0) ::close(out[1]);
}

PrivateDaemon::~PrivateDaemon() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_in();
  close_out();
}

void PrivateDaemon::write(const std::string& bytes) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n = ::write(in_, bytes.data() + done, bytes.size() - done);
    REQUIRE(n > 0);
    done += static_cast<std::size_t>(n);
  }
}

void PrivateDaemon::close_in() {
  if (in_ >= 0) ::close(std::exchange(in_, -1));
}
void PrivateDaemon::close_out() {
  if (out_ >= 0) ::close(std::exchange(out_, -1));
}

std::string PrivateDaemon::read_some() {
  INFO("its log:\n" << log());
  pollfd event{out_, POLLIN, 0};
  REQUIRE(::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) == 1);
  std::string bytes(65536, '\0');
  const ssize_t n = ::read(out_, bytes.data(), bytes.size());
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

std::string PrivateDaemon::read_all() {
  std::string all;
  for (;;) {
    const std::string some = read_some();
    if (some.empty()) return all;
    all += some;
  }
}

Ended PrivateDaemon::wait() {
  INFO("its log:\n" << log());
  int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0u));
  pollfd event{fd, POLLIN, 0};
  const int ready = ::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(patience).count()));
  ::close(fd);
  REQUIRE(ready == 1);
  int status = 0;
  REQUIRE(::waitpid(pid_, &status, 0) == pid_);
  ended_ = true;
  return WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
}

}  // namespace tests
