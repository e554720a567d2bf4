// SPDX-License-Identifier: MIT
// A daemon for the client's tests: it listens on a socket of its own and does on each connection what the test says, in a thread a connection.
#pragma once

#include "daemon/wire/frame.hpp"

#include <corun/base/unique_fd.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tests {

struct Call {
  std::string method;
  nlohmann::json parameters;
  bool more = false;
};

// One connection, seen from the daemon.
class Conversation {
 public:
  explicit Conversation(corun::UniqueFd fd) : fd_(std::move(fd)) {}

  // The next call; nothing where the client has hung up.
  std::optional<Call> next();
  void reply(const nlohmann::json& parameters, bool continues = false);
  void error(const std::string& name, const nlohmann::json& parameters);
  void bytes(std::string_view text);
  // An event of job "J1", as Run and Watch send them.
  void event(const std::string& type, nlohmann::json more = nlohmann::json::object());

 private:
  corun::UniqueFd fd_;
  std::string buffer_;
  corund::wire::FrameScanner scanner_;
};

class FakeDaemon {
 public:
  using Talk = std::function<void(Conversation&)>;

  // Each connection gets the next talk; the last one serves all further ones.
  explicit FakeDaemon(std::vector<Talk> talks);
  // Answers each call by `answer`.
  static Talk serving(std::function<void(Conversation&, const Call&)> answer);
  ~FakeDaemon();  // waits for its connections to end

  const std::string& socket() const { return path_; }

 private:
  void accept_all();

  std::string directory_;
  std::string path_;
  std::vector<Talk> talks_;
  corun::UniqueFd listener_;
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

// What a run of the real corunctl came to.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

// A corunctl that runs. Its standard input is empty; its environment is ours and `variables`.
class Corunctl {
 public:
  Corunctl(const FakeDaemon& daemon, std::vector<std::string> words, std::vector<std::string> variables = {});
  Corunctl(const std::string& socket, std::vector<std::string> words, std::vector<std::string> variables = {});
  void signal(int number) const;
  // What comes on its standard output next.
  std::string read_some();
  // Until it holds the signal back to read it itself: before that, it would just end by it.
  void wait_for_blocked(int number) const;
  Ran wait();  // once

 private:
  int pid_ = -1;
  corun::UniqueFd out_;
  corun::UniqueFd err_;
};

inline Ran run_corunctl(const FakeDaemon& daemon, std::vector<std::string> words, std::vector<std::string> variables = {}) {
  return Corunctl(daemon, std::move(words), std::move(variables)).wait();
}

}  // namespace tests
