// SPDX-License-Identifier: MIT
// Python's asyncio in a process of its own that does a round when it is told to, so that its rounds stand among the others'.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "bench/core/contestant.hpp"

extern char** environ;

namespace bench {
namespace {

constexpr char version_check[] = "import sys; sys.exit(sys.version_info < (3, 13))";

pid_t start(const char* program, std::vector<const char*> arguments, int in, int out) {
  arguments.insert(arguments.begin(), program);
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
  if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (out < 0) posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  int failed = posix_spawnp(&pid, program, &actions, nullptr, const_cast<char* const*>(arguments.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed ? -1 : pid;
}

bool new_enough(const char* python) {
  pid_t pid = start(python, {"-c", version_check}, -1, -1);
  int status = 0;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Asyncio final : public Contestant {
 public:
  Asyncio(const char* python, const std::string& script) {
    int to_child[2], from_child[2];
    if (::pipe2(to_child, O_CLOEXEC) != 0 || ::pipe2(from_child, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid_ = start(python, {script.c_str()}, to_child[0], from_child[1]);
    ::close(to_child[0]);
    ::close(from_child[1]);
    out_ = ::fdopen(to_child[1], "w");
    in_ = ::fdopen(from_child[0], "r");
    read_line();
  }
  ~Asyncio() override {
    std::fclose(out_);
    std::fclose(in_);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string_view name() const override { return "asyncio 3.13+"; }
  bool has(std::string_view) const override { return true; }

  Sample round(std::string_view row, std::size_t ops) override {
    std::fprintf(out_, "%.*s\t%zu\n", static_cast<int>(row.size()), row.data(), ops);
    std::fflush(out_);
    std::string line = read_line();
    Sample sample;
    sample.allocations = -1;
    char late[32] = "-";
    if (std::sscanf(line.c_str(), "%lf %lf %31s", &sample.cpu_ns, &sample.wall_ns, late) != 3)
      throw std::runtime_error("asyncio answered: " + line);
    if (std::strcmp(late, "-") != 0) sample.late_p50_us = std::atof(late);
    return sample;
  }

 private:
  std::string read_line() {
    char text[256];
    if (!std::fgets(text, sizeof text, in_)) throw std::runtime_error("asyncio ended");
    return text;
  }

  pid_t pid_;
  std::FILE* out_;
  std::FILE* in_;
};

}  // namespace

std::unique_ptr<Contestant> make_asyncio(const std::string& script) {
  for (const char* python : {"python3", "python3.13", "python3.14", "python3.15"})
    if (new_enough(python)) return std::make_unique<Asyncio>(python, script);
  return nullptr;
}

}  // namespace bench
