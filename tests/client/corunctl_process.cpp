// SPDX-License-Identifier: MIT
#include "client/corunctl_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace tests {

namespace {

std::pair<corun::UniqueFd, corun::UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe2");
  return {corun::UniqueFd(ends[0]), corun::UniqueFd(ends[1])};
}

}  // namespace

Corunctl::Corunctl(const std::string& socket, std::vector<std::string> words, std::vector<std::string> variables) {
  words.insert(words.begin(), CORUNCTL_PATH);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  variables.push_back("CORUND_SOCKET=" + socket);
  std::vector<char*> environment;
  for (char** at = environ; *at != nullptr; ++at) {
    std::string_view name(*at);
    name = name.substr(0, name.find('=') + 1);
    bool replaced = false;
    for (const std::string& variable : variables) replaced |= variable.starts_with(name);
    if (!replaced) environment.push_back(*at);
  }
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  auto [out_read, out_write] = make_pipe();
  auto [err_read, err_write] = make_pipe();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out_write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err_write.get(), STDERR_FILENO);
  int error = ::posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(std::string("posix_spawn ") + argv[0] + ": " + std::strerror(error));
  out_ = std::move(out_read);
  err_ = std::move(err_read);
}

void Corunctl::signal(int number) const { ::kill(pid_, number); }

std::string Corunctl::read_some() {
  char piece[4096];
  ssize_t got = ::read(out_.get(), piece, sizeof piece);
  if (got <= 0) throw std::runtime_error("corunctl wrote nothing more");
  return std::string(piece, static_cast<std::size_t>(got));
}

// There is no event for this: the kernel shows the mask, and yielding until it has changed is all that can be done.
void Corunctl::wait_for_blocked(int number) const {
  while (true) {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (!line.starts_with("SigBlk:")) continue;
      if (std::stoull(line.substr(7), nullptr, 16) >> (number - 1) & 1) return;
    }
    ::sched_yield();
  }
}

Ran Corunctl::wait() {
  Ran ran;
  pollfd watched[] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
  std::string* texts[] = {&ran.out, &ran.err};
  for (int open = 2; open > 0;) {
    ::poll(watched, 2, -1);
    for (int i = 0; i < 2; ++i) {
      if (watched[i].revents == 0) continue;
      char piece[4096];
      ssize_t got = ::read(watched[i].fd, piece, sizeof piece);
      if (got > 0) {
        texts[i]->append(piece, static_cast<std::size_t>(got));
      } else {
        watched[i].fd = -1;
        --open;
      }
    }
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ran;
}

}  // namespace tests
