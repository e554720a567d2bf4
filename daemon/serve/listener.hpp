// SPDX-License-Identifier: MIT
// The sockets that connections come from, and the sessions that are open: accepts within the limits, counts, ends them all at the stop.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <corun/corun.hpp>
#include <corun/base/intrusive_list.hpp>
#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "daemon/job/signal.hpp"
#include "daemon/serve/host.hpp"
#include "daemon/serve/session.hpp"

namespace corund::serve {

class Listener {
 public:
  Listener(Host& host, corun::Loop& loop);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Accepts from a listening, non-blocking socket from now on. The descriptor is a copy of its own: closing it leaves the caller's alone.
  // is_passed: somebody else's, whose backlog is left alone by leave_passed().
  void accept_from(corun::UniqueFd socket, bool is_passed);
  // Serves a connection that was made elsewhere.
  void adopt(corun::UniqueFd connection);

  // Accepts no more from sockets that were passed in: what waits there waits for the next process.
  void leave_passed();
  // Accepts no more at all, answers the calls that have arrived, sends the replies owed for at most so long, and closes all connections.
  corun::Coro<> close(std::chrono::nanoseconds limit);

  std::size_t sessions() const noexcept { return host_.sessions; }
  // Notified when a session has ended.
  job::Signal& ended() noexcept { return ended_; }

 private:
  struct Door;
  class Place;
  struct Open;

  corun::Coro<> accept_all(Door& door);
  int accept_some(Door& door);
  void admit(corun::UniqueFd connection);
  void refuse(int connection, std::string_view limit, std::size_t value);
  corun::Coro<> serve(corun::UniqueFd connection, Peer peer, Place place);

  Host& host_;
  corun::Loop& loop_;
  ReadBuffer buffer_;
  std::vector<std::unique_ptr<Door>> doors_;
  corun::IntrusiveList<Open> open_;
  std::unordered_map<uid_t, std::size_t> of_uid_;
  job::Signal ended_;
  bool is_closing_ = false;
};

}  // namespace corund::serve
