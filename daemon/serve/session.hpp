// SPDX-License-Identifier: MIT
// One connection: reads frames, hands calls to dispatch, sends the replies in order. One of the three places where exceptions end. Jobs
// that are attached to it are cancelled when its peer is gone; a peer that only stopped sending still gets what it is owed.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <corun/corun.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/job/signal.hpp"
#include "daemon/serve/call.hpp"
#include "daemon/serve/host.hpp"
#include "daemon/serve/outbox.hpp"
#include "daemon/serve/peer.hpp"
#include "daemon/serve/reply_queue.hpp"
#include "daemon/wire/frame.hpp"

namespace corund::serve {

// Where all sessions read into: none of them keeps it across a suspension.
using ReadBuffer = std::vector<char>;

class Session {
 public:
  // Takes the socket, connected and non-blocking.
  Session(corun::UniqueFd socket, Peer peer, Host& host, ReadBuffer& shared, corun::Loop& loop);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Serves until the peer is gone, or has stopped sending and has all its replies, or finish() was asked for and all is sent.
  // Cancellation: drops the connection. Throws nothing else.
  corun::Coro<> serve();

  // Takes no more calls than have arrived; serve() returns when all are answered and the replies sent. A peer that sends a call later gets EPIPE:
  // it was not taken.
  void finish();

  const Peer& peer() const noexcept { return peer_; }

 private:
  corun::Coro<> read();
  corun::Coro<> write();
  corun::Coro<> watch_hangup();
  corun::Coro<> readable();
  ssize_t receive();
  bool take_frames(std::string_view fresh);
  void take_call(const wire::Frame& frame);
  void refuse(const wire::FrameFault& fault);
  bool is_paused() const noexcept;
  void write_ready();
  corun::Coro<> write_body();
  void report(const std::exception_ptr& error);
  void check_hangup();
  void cancel_attached();

  Host& host_;
  Peer peer_;
  ReadBuffer& shared_;
  Descriptor socket_;
  Outbox outbox_;
  ReplyQueue queue_;
  wire::FrameScanner scanner_;
  std::string partial_;            // bytes received and not yet consumed, across reads
  std::int64_t now_us_ = 0;        // of the batch
  bool is_over_ = false;           // no more calls: end of input, or a bad frame
  bool is_finishing_ = false;      // the end of input will be ours, not the peer's
  job::Signal owed_;               // to the writer: there is something to wait for, or nothing will come any more
  job::Signal resumed_;            // to the reader: it may go on
  corun::TaskGroup* group_ = nullptr;  // of the tasks of this session, while it serves
};

}  // namespace corund::serve
