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

}  // namespace tests
