// SPDX-License-Identifier: MIT
// schedstat rather than getrusage: it counts nanoseconds and not ticks, and can be read while the child lives. The kernel brings a
// thread's figure up to date when it goes to sleep, so it is read once the thread has.
#include "bench/echo/server.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "bench/unix_socket.hpp"

extern char** environ;

namespace bench {
namespace {

void pause_ms(long ms) {
  timespec t{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&t, nullptr);
}

// One line of a file under /proc; empty where the thread is gone.
std::string line_of(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    char line[1024];
    if (std::fgets(line, sizeof line, file)) text = line;
    std::fclose(file);
  }
  return text;
}

std::vector<std::string> threads_of(pid_t pid) {
  std::vector<std::string> folders;
  std::string folder = "/proc/" + std::to_string(pid) + "/task";
  if (DIR* dir = ::opendir(folder.c_str())) {
    while (dirent* entry = ::readdir(dir))
      if (entry->d_name[0] != '.') folders.push_back(folder + "/" + entry->d_name);
    ::closedir(dir);
  }
  return folders;
}

bool sleeps(const std::string& thread) {
  std::string stat = line_of(thread + "/stat");
  auto end = stat.rfind(')');
  return end == std::string::npos || end + 2 >= stat.size() || stat[end + 2] == 'S';
}

}  // namespace

Server::Server(std::vector<std::string> command, std::string socket) : socket_path_(std::move(socket)) {
  std::vector<char*> arguments;
  for (auto& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::unlink(socket_path_.c_str());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  int failed = ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) throw std::runtime_error("cannot start " + command[0] + ": " + std::strerror(failed));
  for (int i = 0; i < 500 && fd_ < 0; ++i) {
    fd_ = connect_to(socket_path_);
    if (fd_ < 0) pause_ms(20);
  }
  if (fd_ < 0) throw std::runtime_error(command[0] + " does not listen at " + socket_path_);
}

Server::~Server() {
  ::close(fd_);
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  ::unlink(socket_path_.c_str());
}

void Server::send(std::string_view data) {
  while (!data.empty()) {
    ssize_t n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error("the server closed the connection");
    data.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Server::receive(std::size_t size) {
  char chunk[64 * 1024];
  while (size > 0) {
    ssize_t n = ::read(fd_, chunk, std::min(size, sizeof chunk));
    if (n <= 0) throw std::runtime_error("the server closed the connection");
    size -= static_cast<std::size_t>(n);
  }
}

std::string Server::receive_frame() {
  char byte = 0;
  std::string frame;
  do {
    if (::read(fd_, &byte, 1) != 1) throw std::runtime_error("the server closed the connection");
    frame += byte;
  } while (byte != 0);
  return frame;
}

double Server::cpu_ns() const {
  double sum = 0;
  for (const std::string& thread : threads_of(pid_)) {
    for (int i = 0; i < 200 && !sleeps(thread); ++i) pause_ms(1);
    double ns = 0;
    if (std::sscanf(line_of(thread + "/schedstat").c_str(), "%lf", &ns) == 1) sum += ns;
  }
  return sum;
}

}  // namespace bench
