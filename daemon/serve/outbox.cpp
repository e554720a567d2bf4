// SPDX-License-Identifier: MIT
#include "daemon/serve/outbox.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace corund::serve {

bool Outbox::send() {
  while (sent_ < buffer_.size()) {
    ssize_t n = ::send(socket_.native_handle(), buffer_.data() + sent_, buffer_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      sent_ += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) throw PeerGone("a write failed");
    // Moved down only now and then: a large backlog that leaves in small pieces must not be copied for each.
    if (sent_ > buffer_.size() / 2) {
      buffer_.erase(0, sent_);
      sent_ = 0;
    }
    return false;
  }
  buffer_.clear();
  sent_ = 0;
  constexpr std::size_t keep = 64 * 1024;  // one large reply must not be remembered by an idle session
  if (buffer_.capacity() > keep) buffer_ = std::string();
  return true;
}

corun::Coro<> Outbox::drain_all() {
  struct Flag {
    bool& on;
    explicit Flag(bool& flag) : on(flag) {}
    ~Flag() { on = false; }
  } flag(is_draining_);
  while (!empty()) {
    bool was_full = full();
    try {
      co_await corun::timeout(stall_max_, [this](corun::Timeout&) -> corun::Coro<> {
        co_await socket_.async_wait(Descriptor::wait_write, corun::use_coro);
      });
    } catch (const corun::TimeoutError&) {
      throw PeerGone("it does not read its replies");
    }
    send();
    if (was_full && !full()) drained_.notify();
  }
  drained_.notify();
}

corun::Coro<> Outbox::room() {
  while (full()) co_await drained_.wait();
}

}  // namespace corund::serve
