// SPDX-License-Identifier: MIT
// The way out of a connection: replies as bytes until the socket takes them. Sends without waiting as long as the socket takes them; what
// it does not take is kept, up to a limit at which the session is paused, and for a time after which it is dropped.
#pragma once

#include <chrono>
#include <corun/corun.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <string>

#include "daemon/job/signal.hpp"

namespace corund::serve {

using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

// The peer is gone: it hung up, or a write to it failed. Leaves the session; no std::exception, so that nothing on the way takes it for an
// error of a call.
class PeerGone {
 public:
  explicit PeerGone(const char* why) noexcept : why_(why) {}
  const char* why() const noexcept { return why_; }

 private:
  const char* why_;
};

class Outbox {
 public:
  // bytes_max: kept before full() says so. stall_max: how long the peer may take nothing.
  Outbox(Descriptor& socket, std::size_t bytes_max, std::chrono::nanoseconds stall_max)
      : socket_(socket), bytes_max_(bytes_max), stall_max_(stall_max) {}

  // To append complete replies to.
  std::string& buffer() noexcept { return buffer_; }
  std::size_t size() const noexcept { return buffer_.size() - sent_; }
  bool empty() const noexcept { return size() == 0; }
  bool full() const noexcept { return size() > bytes_max_; }

  // Sends what the socket takes now. True: nothing is left. Errors: PeerGone.
  bool send();
  // Whether something is left that only a drain() will send, and none is under way.
  bool needs_drain() const noexcept { return !empty() && !is_draining_; }
  // Waits for the socket until all is sent; under way from the call on. Errors: PeerGone, also for a peer that takes nothing for too long.
  corun::Coro<> drain() {
    is_draining_ = true;
    return drain_all();
  }
  // Returns when it is not full any more. Somebody must be draining.
  corun::Coro<> room();
  // Notified when a drain has made room.
  job::Signal& drained() noexcept { return drained_; }

 private:
  corun::Coro<> drain_all();

  Descriptor& socket_;
  std::size_t bytes_max_;
  std::chrono::nanoseconds stall_max_;
  std::string buffer_;
  std::size_t sent_ = 0;  // of the buffer's front
  bool is_draining_ = false;
  job::Signal drained_;
};

}  // namespace corund::serve
