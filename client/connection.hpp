// SPDX-License-Identifier: MIT
// Room: one connection to the daemon, blocking: calls go out, answers come in, in order. What an answer means is for the verbs.
#pragma once

#include "client/failure.hpp"
#include "daemon/wire/call.hpp"
#include "daemon/wire/frame.hpp"

#include <corun/base/unique_fd.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace corunctl {

// A reply with its texts kept.
struct Answer {
  std::string error;       // the error's full name; empty: none
  std::string parameters;  // JSON text of an object
  bool continues = false;
  std::string method = {};  // that was called
};

class Connection {
 public:
  // Connects to the first path where somebody listens. Errors: Failure, which says of each what is wrong with it, and what to do.
  explicit Connection(std::vector<std::string> paths);

  // Connects anew, to the same path; nothing is left of the former connection. Errors: those of the constructor.
  void reconnect();
  // The same; false where nobody listens.
  bool try_reconnect();

  // Sends one call, whole. The first one is sent over a new connection where a daemon that ends has closed this one before it took the call: its
  // successor gets it. Errors: Failure where nobody listens any more.
  void send(std::string_view method, std::string_view parameters, corund::wire::CallFlags flags = {});

  // The next answer; waits for it. Errors: Failure where the connection ends first, or what comes is no varlink.
  Answer receive();

  // send() and receive().
  Answer call(std::string_view method, std::string_view parameters);

  // For a poll loop: when fd() is readable, fill(); then take() until it says no.
  int fd() const noexcept { return fd_.get(); }
  void fill();
  bool take(Answer& answer);

 private:
  bool send_bytes(std::string_view bytes);
  bool holds_answer() const;

  std::vector<std::string> paths_;
  corun::UniqueFd fd_;
  std::string path_;          // of paths_, where it is connected to
  bool has_called_ = false;   // a call was sent over this connection
  std::deque<std::string> called_;  // methods of the calls whose last answer is to come
  std::string buffer_;        // bytes that came and are not consumed
  std::size_t start_ = 0;     // where in it they begin
  corund::wire::FrameScanner scanner_;
};

}  // namespace corunctl
