// SPDX-License-Identifier: MIT
// bench_exec: commands a second, and what each takes of the host's own CPU time, as a ratio to a program that does posix_spawn and wait.
//
// Both have the same number of commands in flight and capture both streams of each. Rounds of one and the other alternate; the best of the
// rounds counts for both, because other load only adds. CPU time is the host's own: what the commands take, from their exec on, is theirs.
// Calls go over as many connections as there are commands in flight; the client's CPU time is nobody's, but on a machine with few CPUs it is taken
// from the commands, and so from corund's rate.
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/echo/server.hpp"

extern char** environ;

namespace {

struct Options {
  std::string daemon;
  std::string log_level = "info";
  std::size_t rounds = 7;
  std::size_t commands = 400;  // of a round
  std::string program = "/bin/echo";
  std::string json;
};

struct Round {
  double per_second = 0;
  double cpu_us = 0;  // own, of a command
};

[[noreturn]] void usage(const char* program, int code) {
  std::fprintf(code ? stderr : stdout, "usage: %s --daemon PATH [--log-level LEVEL] [--rounds N] [--commands N] [--program PATH] [--json FILE]\n",
               program);
  std::exit(code);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help") usage(argv[0], 0);
    if (i + 1 == argc) usage(argv[0], 2);
    std::string value = argv[++i];
    if (word == "--daemon") options.daemon = value;
    else if (word == "--log-level") options.log_level = value;
    else if (word == "--rounds") options.rounds = std::stoul(value);
    else if (word == "--commands") options.commands = std::stoul(value);
    else if (word == "--program") options.program = value;
    else if (word == "--json") options.json = value;
    else usage(argv[0], 2);
  }
  if (options.daemon.empty() || options.rounds == 0) usage(argv[0], 2);
  return options;
}

[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string(what) + ": " + std::strerror(errno)); }

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double own_cpu_us() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto us = [](const timeval& t) { return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec); };
  return us(used.ru_utime) + us(used.ru_stime);
}

// A command of the plain program's: its process and what is read of it.
struct Command {
  pid_t pid = -1;
  int fds[2] = {-1, -1};
  std::string output;
};

Command spawn(const std::string& program) {
  Command command;
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) fail("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  std::string word = "hello";
  char* argv[] = {const_cast<char*>(program.c_str()), word.data(), nullptr};
  const int failed = ::posix_spawn(&command.pid, program.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  if (failed) errno = failed, fail("posix_spawn");
  command.fds[0] = out[0];
  command.fds[1] = err[0];
  return command;
}

// Reads what is there; once both streams have ended, waits for the process. Whether it is over.
bool attend(Command& command, const pollfd* ready) {
  char buffer[16 * 1024];
  for (int i = 0; i < 2; ++i) {
    if (command.fds[i] < 0 || !ready[i].revents) continue;
    const ssize_t n = ::read(command.fds[i], buffer, sizeof buffer);
    if (n > 0) command.output.append(buffer, static_cast<std::size_t>(n));
    if (n <= 0) ::close(std::exchange(command.fds[i], -1));
  }
  if (command.fds[0] >= 0 || command.fds[1] >= 0) return false;
  int status = 0;
  if (::waitpid(command.pid, &status, 0) != command.pid || status != 0) fail("waitpid");
  if (command.output != "hello\n") throw std::runtime_error("the command's output is not what it should be");
  return true;
}

void run_plain(const std::string& program, std::size_t count, std::size_t in_flight) {
  std::vector<Command> commands;
  std::size_t started = 0;
  while (started < count || !commands.empty()) {
    while (started < count && commands.size() < in_flight) commands.push_back(spawn(program)), ++started;
    std::vector<pollfd> ready;
    for (const Command& each : commands)
      for (int fd : each.fds) ready.push_back({fd, POLLIN, 0});
    if (::poll(ready.data(), ready.size(), -1) < 0) fail("poll");
    std::size_t left = 0;
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (!attend(commands[i], &ready[2 * i])) std::swap(commands[left++], commands[i]);
    commands.resize(left);
  }
}

// In a process of its own, so that its CPU time is nothing but that.
Round plain_round(const Options& options, std::size_t in_flight) {
  int result[2];
  if (::pipe2(result, O_CLOEXEC) != 0) fail("pipe2");
  const pid_t pid = ::fork();
  if (pid == 0) {
    Round round;
    try {
      run_plain(options.program, 2 * in_flight, in_flight);  // warm
      const double cpu = own_cpu_us(), begin = seconds_now();
      run_plain(options.program, options.commands, in_flight);
      round = {static_cast<double>(options.commands) / (seconds_now() - begin),
               (own_cpu_us() - cpu) / static_cast<double>(options.commands)};
    } catch (const std::exception& e) {
      std::fprintf(stderr, "the plain program: %s\n", e.what());
    }
    (void)!::write(result[1], &round, sizeof round);
    ::_exit(0);
  }
  ::close(result[1]);
  Round round;
  if (::read(result[0], &round, sizeof round) != sizeof round || round.per_second == 0) throw std::runtime_error("the plain program failed");
  ::close(result[0]);
  ::waitpid(pid, nullptr, 0);
  return round;
}

// A connection with one call in flight.
class Caller {
 public:
  explicit Caller(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  }
  ~Caller() { ::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  int fd() const { return fd_; }
  void call(const std::string& text) {
    if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) fail("send");
  }
  // Whether the reply is whole with what can be read now.
  bool answered() {
    char buffer[16 * 1024];
    const ssize_t n = ::read(fd_, buffer, sizeof buffer);
    if (n <= 0) fail("read");
    reply_.append(buffer, static_cast<std::size_t>(n));
    if (reply_.back() != '\0') return false;
    if (reply_.find(R"("stdoutTail":"hello\n")") == reply_.npos) throw std::runtime_error("not the command's output: " + reply_);
    reply_.clear();
    return true;
  }

 private:
  int fd_;
  std::string reply_;
};

void run_jobs(std::vector<std::unique_ptr<Caller>>& callers, const std::string& text, std::size_t count) {
  std::size_t called = 0, done = 0;
  std::vector<pollfd> ready;
  for (auto& caller : callers) {
    ready.push_back({caller->fd(), POLLIN, 0});
    if (called < count) caller->call(text), ++called;
  }
  while (done < count) {
    if (::poll(ready.data(), ready.size(), -1) < 0) fail("poll");
    for (std::size_t i = 0; i < callers.size(); ++i) {
      if (!ready[i].revents || !callers[i]->answered()) continue;
      ++done;
      if (called < count) callers[i]->call(text), ++called;
    }
  }
}

Round daemon_round(const Options& options, bench::Server& server, const std::string& socket, std::size_t in_flight) {
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::size_t i = 0; i < in_flight; ++i) callers.push_back(std::make_unique<Caller>(socket));
  std::string text = R"({"method":"io.corund.Jobs.Run","parameters":{"kind":"exec","args":{"argv":[")" + options.program + R"(","hello"]}}})";
  text += '\0';
  run_jobs(callers, text, 2 * in_flight);  // warm
  const double cpu = server.cpu_ns(), begin = seconds_now();
  run_jobs(callers, text, options.commands);
  const double wall = seconds_now() - begin;
  return {static_cast<double>(options.commands) / wall, (server.cpu_ns() - cpu) / 1000 / static_cast<double>(options.commands)};
}

constexpr std::size_t in_flight[] = {1, 2, 8};

// The best of both.
void improve(Round& best, const Round& round) {
  best.per_second = std::max(best.per_second, round.per_second);
  best.cpu_us = best.cpu_us == 0 ? round.cpu_us : std::min(best.cpu_us, round.cpu_us);
}

int run(const Options& options) {
  char folder[] = "/tmp/bench-exec-XXXXXX";
  if (!::mkdtemp(folder)) fail("mkdtemp");
  const std::string base = folder, socket = base + "/corund.sock";
  if (std::FILE* config = std::fopen((base + "/corund.toml").c_str(), "w")) {
    std::fputs("[groups.exec]\nlimit = 64\n", config);
    std::fclose(config);
  }
  Round corund[std::size(in_flight)], plain[std::size(in_flight)];
  {
    bench::Server server({options.daemon, "--config", base + "/corund.toml", "--socket", socket, "--state", base + "/state", "--log-level",
                          options.log_level},
                         socket);
    for (std::size_t r = 0; r < options.rounds; ++r)
      for (std::size_t k = 0; k < std::size(in_flight); ++k) {
        improve(plain[k], plain_round(options, in_flight[k]));
        improve(corund[k], daemon_round(options, server, socket, in_flight[k]));
      }
  }
  const std::string remove = "rm -rf '" + base + "'";
  if (std::system(remove.c_str()) != 0) std::fprintf(stderr, "left %s\n", folder);

  std::printf("%s, both streams captured; best of %zu rounds of %zu; log level %s\n", options.program.c_str(), options.rounds, options.commands,
              options.log_level.c_str());
  std::printf("  %-10s %12s %12s %7s %14s %14s %7s\n", "in flight", "corund /s", "spawn /s", "ratio", "corund us", "spawn us", "ratio");
  for (std::size_t k = 0; k < std::size(in_flight); ++k)
    std::printf("  %-10zu %12.0f %12.0f %7.2f %14.1f %14.1f %7.2f\n", in_flight[k], corund[k].per_second, plain[k].per_second,
                corund[k].per_second / plain[k].per_second, corund[k].cpu_us, plain[k].cpu_us, corund[k].cpu_us / plain[k].cpu_us);
  if (options.json.empty()) return 0;
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (!file) fail("cannot write the JSON file");
  std::fprintf(file, "{\"program\": \"%s\", \"rounds\": %zu, \"commands\": %zu, \"log_level\": \"%s\", \"in_flight\": {", options.program.c_str(),
               options.rounds, options.commands, options.log_level.c_str());
  for (std::size_t k = 0; k < std::size(in_flight); ++k)
    std::fprintf(file, "%s\"%zu\": {\"corund_per_second\": %.0f, \"spawn_per_second\": %.0f, \"corund_cpu_us\": %.1f, \"spawn_cpu_us\": %.1f}",
                 k ? ", " : "", in_flight[k], corund[k].per_second, plain[k].per_second, corund[k].cpu_us, plain[k].cpu_us);
  std::fprintf(file, "}}\n");
  std::fclose(file);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_exec: %s\n", e.what());
    return 1;
  }
}
