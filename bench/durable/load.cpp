// SPDX-License-Identifier: MIT
#include "bench/durable/load.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "bench/unix_socket.hpp"

namespace bench {
Load::Load(const std::string& socket, std::string call, std::string reply_begin, char reply_end,
           std::size_t connections, std::size_t in_flight)
    : reply_begin_(std::move(reply_begin)),
      reply_end_(reply_end),
      in_flight_(in_flight),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  for (std::size_t i = 0; i < in_flight; ++i) batch_ += call;
  connections_.resize(connections);
  for (std::size_t i = 0; i < connections; ++i) {
    connections_[i].fd = connect_to(socket);
    if (connections_[i].fd < 0) throw std::system_error(errno, std::generic_category(), socket);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
  }
}

Load::~Load() {
  for (Connection& connection : connections_) ::close(connection.fd);
  ::close(epoll_);
}

LoadResult Load::run(std::chrono::milliseconds time, std::size_t calls_max) {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t sent = 0, busy = 0;
  const auto go_on = [&](Connection& connection) {
    if (sent >= calls_max || std::chrono::steady_clock::now() - begin >= time) return false;
    send_batch(connection);
    sent += in_flight_;
    return true;
  };
  for (Connection& connection : connections_) busy += go_on(connection);
  while (busy > 0) {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_, events, 64, 30'000);
    if (count == 0) throw std::runtime_error("the server does not answer");
    for (int i = 0; i < count; ++i) {
      Connection& connection = connections_[events[i].data.u64];
      receive(connection);
      if (connection.owed == 0 && !go_on(connection)) --busy;
    }
  }
  return {sent, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
}

void Load::send_batch(Connection& connection) {
  for (std::size_t at = 0; at < batch_.size();) {
    const ssize_t n = ::send(connection.fd, batch_.data() + at, batch_.size() - at, MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error("the server closed the connection");
    at += static_cast<std::size_t>(n);
  }
  connection.owed = in_flight_;
}

void Load::receive(Connection& connection) {
  char chunk[64 * 1024];
  const ssize_t n = ::read(connection.fd, chunk, sizeof chunk);
  if (n <= 0) throw std::runtime_error("the server closed the connection");
  for (const char *at = chunk, *end = chunk + n; at != end;) {
    const auto* stop =
        static_cast<const char*>(std::memchr(at, reply_end_, static_cast<std::size_t>(end - at)));
    connection.reply.append(at, stop ? stop : end);
    if (!stop) break;
    check(connection.reply);
    connection.reply.clear();
    --connection.owed;
    at = stop + 1;
  }
}

void Load::check(const std::string& reply) const {
  if (!reply.starts_with(reply_begin_)) throw std::runtime_error("the server refuses: " + reply);
}

}  // namespace bench
