// SPDX-License-Identifier: MIT
// The other end of a daemon's socket, by hand: bytes, frames and calls as a test wants them, right or wrong. Every reply that comes out of
// reply() is compared with the description of the method that was called, or of the error: one that does not fit fails the test.
#pragma once

#include <nlohmann/json.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "integration/daemon.hpp"
#include "support/varlink_idl.hpp"

namespace tests {

using Json = nlohmann::json;

class SocketClient {
 public:
  explicit SocketClient(const std::string& path, char terminator = '\0');
  // Takes a connected socket.
  explicit SocketClient(int connected, char terminator = '\0') : fd_(connected), terminator_(terminator) {}
  explicit SocketClient(const Daemon& daemon, char terminator = '\0') : SocketClient(daemon.socket(), terminator) {}
  ~SocketClient() { hang_up(); }
  SocketClient(SocketClient&& other) noexcept;
  SocketClient& operator=(SocketClient&&) = delete;

  // All of it, waiting where the socket is full. False: the daemon has closed the connection.
  bool send(const std::string& bytes);
  // As much as goes without waiting.
  std::size_t try_send(const std::string& bytes);
  void half_close();
  void hang_up();

  // The next frame without its terminator; nothing at the end of the connection. Fails the test where neither comes in time.
  std::optional<std::string> frame();
  // The next reply. Fails the test where there is none, and where it does not fit its description.
  Json reply();
  bool at_end() { return !frame().has_value(); }

  void call(const std::string& method, const Json& parameters = Json::object(), const Json& flags = Json::object());
  // A call and its one reply.
  Json ask(const std::string& method, const Json& parameters = Json::object());
  // A call with `more`, and its replies up to the last one.
  std::vector<Json> ask_more(const std::string& method, const Json& parameters = Json::object());

  // io.corund.Jobs, shorter.
  Json run(const std::string& kind, const Json& args = Json::object(), Json options = Json::object());
  std::string submit(const std::string& kind, const Json& args = Json::object(), Json options = Json::object());
  Json wait(const std::string& id);  // the record
  Json show(const std::string& id);

 private:
  struct Asked {
    std::string method;
    bool more;
  };
  bool send_all(const std::string& bytes);
  void compare(const Json& reply);

  int fd_ = -1;
  char terminator_;
  std::string received_;
  std::deque<Asked> asked_;                // the calls whose last reply is still to come
  std::atomic<bool> is_followed_ = true;   // false once bytes were sent by hand: it is not known what is answered then
};

// The interfaces as the sources describe them.
const VarlinkInterfaces& descriptions();

// One call's bytes, terminator included.
std::string call_text(const std::string& method, const Json& parameters, char terminator = '\0', Json flags = Json::object());

// The error's name without its interface, or "" for a reply that is none.
std::string error_of(const Json& reply);

}  // namespace tests
