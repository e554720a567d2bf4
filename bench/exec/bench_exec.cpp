// SPDX-License-Identifier: MIT
// bench_exec: commands a second, and what each takes of the host's own CPU time, as a ratio to a program that does posix_spawn and wait.
//
// Both have the same number of commands in flight and capture both streams of each. Rounds of one and the other alternate; the median of the
// rounds counts for both. CPU time is the host's own: what the commands take, from their exec on, is theirs.
// A former daemon (--before) and other hosts' clients (--peer "systemd-run --quiet --wait --pipe", which is followed by the command) can take part;
// what a peer's host takes of CPU time is not known here, its rate is.
// Calls go over as many connections as there are commands in flight; the client's CPU time is nobody's, but on a machine with few CPUs it is taken
// from the commands, and so from corund's rate. "corund, queued" is handed all commands of a round at once, as jobs of a group with that limit, and
// goes on by itself: the plain program has its commands from itself as well.
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
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/echo/server.hpp"

extern char** environ;

namespace {

struct Options {
  std::string daemon;
  std::string before;  // another daemon
  std::vector<std::string> peer;
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
  std::fprintf(code ? stderr : stdout, "usage: %s --daemon PATH [--before PATH] [--peer WORDS] [--log-level LEVEL] [--rounds N] [--commands N] [--program PATH] [--json FILE]\n",
               program);
  std::exit(code);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--help") usage(argv[0], 0);
    if (i + 1 == argc) usage(argv[0], 2);
    std::string value = argv[++i];
    if (word == "--daemon") options.daemon = value;
    else if (word == "--before") options.before = value;
    else if (word == "--peer") options.peer = words_of(value);
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

Command spawn(std::vector<std::string> words) {
  Command command;
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) fail("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int failed = ::posix_spawnp(&command.pid, argv[0], &actions, nullptr, argv.data(), environ);
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

void run_plain(const std::vector<std::string>& words, std::size_t count, std::size_t in_flight) {
  std::vector<Command> commands;
  std::size_t started = 0;
  while (started < count || !commands.empty()) {
    while (started < count && commands.size() < in_flight) commands.push_back(spawn(words)), ++started;
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
Round plain_round(const Options& options, std::vector<std::string> words, std::size_t in_flight) {
  words.insert(words.end(), {options.program, "hello"});
  int result[2];
  if (::pipe2(result, O_CLOEXEC) != 0) fail("pipe2");
  const pid_t pid = ::fork();
  if (pid == 0) {
    Round round;
    try {
      run_plain(words, 2 * in_flight, in_flight);  // warm
      const double cpu = own_cpu_us(), begin = seconds_now();
      run_plain(words, options.commands, in_flight);
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

std::string group_of(std::size_t limit) { return "limit-" + std::to_string(limit); }

std::string call_of(const std::string& method, const std::string& parameters) {
  return R"({"method":"io.corund.Jobs.)" + method + R"(","parameters":{)" + parameters + "}}" + std::string(1, '\0');
}

std::vector<std::string> ids_in(const std::string& reply) {
  constexpr std::size_t id_bytes = 26;
  std::vector<std::string> ids;
  for (std::size_t at = reply.find("[\""); at != reply.npos && at + 2 + id_bytes < reply.size(); at = reply.find(",\"", at + 2))
    ids.push_back(reply.substr(at + 2, id_bytes));
  return ids;
}

// Those that ended last are among those that began last, so who waits for these is woken no more often than there are commands in flight.
void run_queue(bench::Server& server, const std::string& submit, std::size_t count, std::size_t in_flight, std::vector<std::string>& ids) {
  server.send(submit);
  ids = ids_in(server.receive_frame());
  if (ids.size() != count) throw std::runtime_error("not all commands were taken");
  const std::size_t last = std::min(count, in_flight);
  for (std::size_t i = count - last; i < count; ++i) server.send(call_of("Wait", "\"id\":\"" + ids[i] + "\""));
  for (std::size_t i = 0; i < last; ++i) server.receive_frame();
}

Round queued_round(const Options& options, bench::Server& server, std::size_t in_flight) {
  const std::string job = R"({"kind":"exec","group":")" + group_of(in_flight) + R"(","args":{"argv":[")" + options.program + R"(","hello"]}})";
  const auto submit = [&](std::size_t count) {
    std::string jobs = job;
    for (std::size_t i = 1; i < count; ++i) jobs += "," + job;
    return call_of("SubmitMany", R"("ack":"memory","jobs":[)" + jobs + "]");
  };
  const std::string warm = submit(2 * in_flight), all = submit(options.commands);
  std::vector<std::string> ids;
  run_queue(server, warm, 2 * in_flight, in_flight, ids);
  const double cpu = server.cpu_ns(), begin = seconds_now();
  run_queue(server, all, options.commands, in_flight, ids);
  const double wall = seconds_now() - begin, own = server.cpu_ns() - cpu;
  for (const std::string& id : ids) {
    server.send(call_of("Wait", "\"id\":\"" + id + "\""));
    const std::string reply = server.receive_frame();
    if (reply.find(R"("stdoutTail":"hello\n")") == reply.npos) throw std::runtime_error("not the command's output: " + reply);
  }
  return {static_cast<double>(options.commands) / wall, own / 1000 / static_cast<double>(options.commands)};
}

constexpr std::size_t in_flight[] = {1, 2, 8};

// The median of each figure by itself.
Round median_of(const std::vector<Round>& rounds) {
  const auto median = [&](double Round::*figure) {
    std::vector<double> values;
    for (const Round& round : rounds) values.push_back(round.*figure);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  return {median(&Round::per_second), median(&Round::cpu_us)};
}

// A daemon of this benchmark's, with its own files.
class Daemon {
 public:
  Daemon(const std::string& program, const std::string& log_level) {
    if (!::mkdtemp(folder_)) fail("mkdtemp");
    const std::string base = folder_;
    if (std::FILE* config = std::fopen((base + "/corund.toml").c_str(), "w")) {
      std::fputs("[groups.exec]\nlimit = 64\n", config);
      for (std::size_t limit : in_flight) std::fprintf(config, "[groups.%s]\nlimit = %zu\n", group_of(limit).c_str(), limit);
      std::fclose(config);
    }
    server_ = std::make_unique<bench::Server>(std::vector<std::string>{program, "--config", base + "/corund.toml", "--socket", socket(), "--state",
                                                                       base + "/state", "--log-level", log_level},
                                              socket());
  }
  ~Daemon() {
    server_.reset();
    const std::string remove = std::string("rm -rf '") + folder_ + "'";
    if (std::system(remove.c_str()) != 0) std::fprintf(stderr, "left %s\n", folder_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  bench::Server& server() { return *server_; }
  std::string socket() const { return std::string(folder_) + "/corund.sock"; }

 private:
  char folder_[32] = "/tmp/bench-exec-XXXXXX";
  std::unique_ptr<bench::Server> server_;
};

// Who takes part, and the rounds of each by the number in flight.
struct Contestant {
  std::string name;
  std::vector<std::string> words;    // before the command, where it is a program's to start it
  std::unique_ptr<Daemon> daemon;    // null: a program
  bool is_queued = false;
  std::vector<Round> rounds[std::size(in_flight)];
};

void report(const Options& options, const std::vector<Contestant>& contestants) {
  const Contestant& plain = contestants.front();
  std::printf("%s, both streams captured; median of %zu rounds of %zu; log level %s\n", options.program.c_str(), options.rounds, options.commands,
              options.log_level.c_str());
  std::printf("  %-10s %-16s %10s %7s %10s %7s\n", "in flight", "host", "/s", "ratio", "own us", "ratio");
  for (std::size_t k = 0; k < std::size(in_flight); ++k)
    for (const Contestant& each : contestants) {
      const Round round = median_of(each.rounds[k]), limit = median_of(plain.rounds[k]);
      std::printf("  %-10zu %-16s %10.0f %7.2f %10.1f %7.2f\n", in_flight[k], each.name.c_str(), round.per_second,
                  round.per_second / limit.per_second, round.cpu_us, round.cpu_us / limit.cpu_us);
    }
  if (options.json.empty()) return;
  std::FILE* file = std::fopen(options.json.c_str(), "w");
  if (!file) fail("cannot write the JSON file");
  std::fprintf(file, "{\"program\": \"%s\", \"rounds\": %zu, \"commands\": %zu, \"log_level\": \"%s\", \"in_flight\": {", options.program.c_str(),
               options.rounds, options.commands, options.log_level.c_str());
  for (std::size_t k = 0; k < std::size(in_flight); ++k) {
    std::fprintf(file, "%s\"%zu\": {", k ? ", " : "", in_flight[k]);
    for (const Contestant& each : contestants) {
      const Round round = median_of(each.rounds[k]);
      std::fprintf(file, "%s\"%s\": {\"per_second\": %.0f, \"cpu_us\": %.1f}", &each == &plain ? "" : ", ", each.name.c_str(),
                   round.per_second, round.cpu_us);
    }
    std::fprintf(file, "}");
  }
  std::fprintf(file, "}}\n");
  std::fclose(file);
}

Round round_of(const Options& options, Contestant& one, std::size_t limit) {
  if (!one.daemon) return plain_round(options, one.words, limit);
  if (one.is_queued) return queued_round(options, one.daemon->server(), limit);
  return daemon_round(options, one.daemon->server(), one.daemon->socket(), limit);
}

int run(const Options& options) {
  std::vector<Contestant> contestants(2);
  contestants[0].name = "posix_spawn";
  contestants[1].name = "corund";
  contestants[1].daemon = std::make_unique<Daemon>(options.daemon, options.log_level);
  contestants.push_back({"corund, queued", {}, std::make_unique<Daemon>(options.daemon, options.log_level), true, {}});
  if (!options.before.empty()) {
    contestants.push_back({"corund before", {}, std::make_unique<Daemon>(options.before, options.log_level), false, {}});
    contestants.push_back({"before, queued", {}, std::make_unique<Daemon>(options.before, options.log_level), true, {}});
  }
  if (!options.peer.empty()) contestants.push_back({options.peer.front(), options.peer, nullptr, false, {}});
  for (std::size_t r = 0; r < options.rounds; ++r)
    for (std::size_t k = 0; k < std::size(in_flight); ++k)
      for (Contestant& each : contestants)
        each.rounds[k].push_back(round_of(options, each, in_flight[k]));
  report(options, contestants);
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
