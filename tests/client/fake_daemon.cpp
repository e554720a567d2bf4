// SPDX-License-Identifier: MIT
#include "client/fake_daemon.hpp"

#include "daemon/wire/reply.hpp"
#include "daemon/wire/request.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace tests {

namespace wire = corund::wire;

std::optional<Call> Conversation::next() {
  while (true) {
    auto scan = scanner_.feed(buffer_);
    if (scan.status == wire::ScanStatus::bad) throw std::runtime_error("the client sent a bad frame");
    if (scan.status == wire::ScanStatus::frame) {
      auto request = wire::parse_request(scanner_.frame());
      Call call{std::string(request->method()), nlohmann::json::parse(request->parameters()), request->more()};
      buffer_.erase(0, scan.consumed);
      return call;
    }
    char piece[4096];
    ssize_t got = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (got <= 0) return std::nullopt;
    buffer_.append(piece, static_cast<std::size_t>(got));
  }
}

void Conversation::bytes(std::string_view text) {
  while (!text.empty()) {
    ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Conversation::reply(const nlohmann::json& parameters, bool continues) {
  std::string out;
  wire::append_reply(out, parameters.dump(), wire::Terminator::nul, continues);
  bytes(out);
}

void Conversation::error(const std::string& name, const nlohmann::json& parameters) {
  std::string out;
  wire::append_error(out, name, parameters.dump(), wire::Terminator::nul);
  bytes(out);
}

void Conversation::event(const std::string& type, nlohmann::json more) {
  more["type"] = type;
  more["id"] = "J1";
  more["timestampUSec"] = 1'700'000'000'000'000;
  reply({{"event", more}}, true);
}

FakeDaemon::FakeDaemon(std::vector<Talk> talks) : talks_(std::move(talks)) {
  std::string pattern = "/tmp/corunctl-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory_ = pattern;
  path_ = directory_ + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 || ::listen(listener_.get(), 16) < 0)
    throw std::runtime_error("listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

void FakeDaemon::accept_all() {
  for (std::size_t number = 0;; ++number) {
    corun::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;  // shut down
    Talk& talk = talks_[std::min(number, talks_.size() - 1)];
    connections_.emplace_back([&talk, connection = std::move(fd)]() mutable {
      Conversation conversation(std::move(connection));
      talk(conversation);
    });
  }
}

FakeDaemon::Talk FakeDaemon::serving(std::function<void(Conversation&, const Call&)> answer) {
  return [answer = std::move(answer)](Conversation& conversation) {
    while (auto call = conversation.next()) answer(conversation, *call);
  };
}

FakeDaemon::~FakeDaemon() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::unlink(path_.c_str());
  ::rmdir(directory_.c_str());
}

namespace {

std::pair<corun::UniqueFd, corun::UniqueFd> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("pipe2");
  return {corun::UniqueFd(ends[0]), corun::UniqueFd(ends[1])};
}

}  // namespace

Corunctl::Corunctl(const FakeDaemon& daemon, std::vector<std::string> words, std::vector<std::string> variables)
    : Corunctl(daemon.socket(), std::move(words), std::move(variables)) {}

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
