// SPDX-License-Identifier: MIT
// Stdin and stdout as one connection, whatever they are: pipes, a terminal, files, two sockets. The session has one end of a socket pair, and
// what comes and goes is copied between the other end and the two descriptors. The session keeps to one socket that way, and descriptors that
// others share are not made non-blocking. Where both are one and the same Unix stream socket, that one is the connection, so that its peer is
// who the kernel says.
#pragma once

#include <chrono>
#include <corun/base/unique_fd.hpp>
#include <corun/corun.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/serve/outbox.hpp"

namespace corund::serve {

// Waits for a descriptor to be ready and leaves its flags as they are: those belong to all who share it, and Asio would make it non-blocking.
class Readiness {
 public:
  // events: as epoll_ctl(2) takes them; errors and hang-ups are always among them. The descriptor stays the caller's. Errors: std::system_error.
  Readiness(corun::Loop& loop, int fd, std::uint32_t events);

  // Files have no readiness: there is nothing to wait for.
  bool is_known() const noexcept { return epoll_.has_value(); }
  // Returns at once where it is not known.
  corun::Coro<> wait();

 private:
  std::optional<Descriptor> epoll_;  // an epoll of its own, which is readable when the descriptor is ready
};

class Stdio {
 public:
  // Takes descriptors 0 and 1. In their place stand /dev/null and a copy of stderr: nothing else that the process says gets between the replies.
  // stall_max: how long whoever reads stdout may take nothing. Errors: std::system_error.
  Stdio(corun::Loop& loop, std::chrono::nanoseconds stall_max);
  Stdio(const Stdio&) = delete;
  Stdio& operator=(const Stdio&) = delete;

  // The connection for the session, connected and non-blocking. Once.
  corun::UniqueFd take_connection() noexcept { return std::move(connection_); }

  // Copies until the session has ended and all that it wrote is on stdout, or stdout takes no more. The end of stdin is the end of the calls,
  // nobody at stdout is a hang-up. Cancellation: what is on its way is lost.
  corun::Coro<> copy();

 private:
  corun::Coro<> copy_in();
  corun::Coro<> copy_out();
  corun::Coro<> watch_hangup();
  corun::Coro<> write_out(std::string_view bytes);

  std::chrono::nanoseconds stall_max_;
  corun::UniqueFd connection_;
  bool is_direct_ = false;  // the connection is stdin and stdout: there is nothing to copy
  corun::UniqueFd in_, out_;
  std::optional<Readiness> in_ready_, out_ready_, out_gone_;
  std::optional<Descriptor> inner_;  // the other end of the connection
};

}  // namespace corund::serve
