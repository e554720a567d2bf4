// SPDX-License-Identifier: MIT
#include "daemon/serve/listener.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/wire/errors.hpp"
#include "daemon/wire/reply.hpp"

namespace corund::serve {
namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr int accepts_in_a_row = 64;
constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

}  // namespace

// A listening socket and who accepts from it.
struct Listener::Door {
  Door(corun::UniqueFd socket, bool passed, corun::Loop& loop) : descriptor(loop.io_context(), socket.get()), is_passed(passed) {
    socket.release();
  }
  Descriptor descriptor;
  bool is_passed;
  std::optional<corun::AnyTask> accepting;
};

// One connection's place within the limits: given back whatever becomes of the connection, also before its session begins.
class Listener::Place {
 public:
  Place(Listener& listener, uid_t uid) : listener_(&listener), uid_(uid) {
    ++listener_->of_uid_[uid_];
    ++listener_->host_.sessions;
  }
  Place(Place&& other) noexcept : listener_(std::exchange(other.listener_, nullptr)), uid_(other.uid_) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (!listener_) return;
    --listener_->host_.sessions;
    auto count = listener_->of_uid_.find(uid_);
    if (--count->second == 0) listener_->of_uid_.erase(count);
    listener_->ended_.notify();
  }

 private:
  Listener* listener_;
  uid_t uid_;
};

// A session and the task that serves it. Lives in that task's frame.
struct Listener::Open : corun::ListLink {
  Open(corun::UniqueFd connection, Peer peer, Listener& listener)
      : session(std::move(connection), std::move(peer), listener.host_, listener.buffer_, listener.loop_),
        task(corun::current_task()) {
    listener.open_.push_back(*this);
    if (listener.is_closing_) session.finish();
  }
  ~Open() { unlink(); }
  Session session;
  corun::AnyTask task;
};

Listener::Listener(Host& host, corun::Loop& loop) : host_(host), loop_(loop), buffer_(read_bytes) {}
Listener::~Listener() = default;

void Listener::accept_from(corun::UniqueFd socket, bool is_passed) {
  Door& door = *doors_.emplace_back(std::make_unique<Door>(std::move(socket), is_passed, loop_));
  door.accepting = corun::create_task(accept_all(door), {.name = "accept"});
}

corun::Coro<> Listener::accept_all(Door& door) {
  for (;;) {
    int accepted = accept_some(door);
    if (accepted == accepts_in_a_row) {
      co_await corun::sleep(std::chrono::seconds(0));
    } else if (accepted < 0) {
      host_.journal.log().write(sd::LogLevel::warning, std::string("cannot accept a connection: ") + std::strerror(-accepted));
      co_await corun::sleep(pause_without_descriptors);  // out of descriptors or memory: the socket stays readable
    } else {
      co_await door.descriptor.async_wait(Descriptor::wait_read, corun::use_coro);
    }
  }
}

// The number accepted, or a negative errno.
int Listener::accept_some(Door& door) {
  for (int accepted = 0; accepted < accepts_in_a_row; ++accepted) {
    corun::UniqueFd connection(
        ::accept4(door.descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      admit(std::move(connection));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return accepted;
    if (errno != EINTR && errno != ECONNABORTED) return -errno;
  }
  return accepts_in_a_row;
}

void Listener::admit(corun::UniqueFd connection) {
  const config::LimitsConfig& limits = host_.config.limits;
  if (host_.sessions >= limits.sessions) return refuse(connection.get(), "limits.sessions", limits.sessions);
  Peer peer;
  try {
    peer = peer_of(connection.get());
  } catch (const std::system_error& error) {
    host_.journal.log().write(sd::LogLevel::warning, std::string("connection refused: ") + error.what());
    return;
  }
  const auto of_uid = of_uid_.find(peer.uid);
  if (of_uid != of_uid_.end() && of_uid->second >= limits.sessions_per_uid)
    return refuse(connection.get(), "limits.sessions_per_uid", limits.sessions_per_uid);
  Place place(*this, peer.uid);
  (void)corun::create_task(serve(std::move(connection), std::move(peer), std::move(place)), {.name = "session"});
}

// The peer has called nothing yet: an error in advance, for whoever reads it, and the connection is closed.
void Listener::refuse(int connection, std::string_view limit, std::size_t value) {
  std::string text;
  wire::append_error(text, wire::errors::LimitReached{std::string(limit), static_cast<std::int64_t>(value)}, wire::Terminator::nul);
  (void)!::send(connection, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Listener::adopt(corun::UniqueFd connection) { admit(std::move(connection)); }

corun::Coro<> Listener::serve(corun::UniqueFd connection, Peer peer, [[maybe_unused]] Place place) {
  Open open(std::move(connection), std::move(peer), *this);
  co_await open.session.serve();
}

void Listener::leave_passed() {
  for (auto& door : doors_)
    if (door->is_passed && door->accepting) door->accepting->cancel();
}

corun::Coro<> Listener::close(std::chrono::nanoseconds limit) {
  is_closing_ = true;
  for (auto& door : doors_)
    if (door->accepting) door->accepting->cancel();
  for (Open& open : open_) open.session.finish();
  const corun::time_point until = loop_.time() + limit;
  corun::TimerHandle timer = loop_.call_at(until, [this] { ended_.notify(); });
  while (sessions() > 0 && loop_.time() < until) co_await ended_.wait();  // also for one that has yet to begin
  timer.cancel();
  for (Open& open : open_) open.task.cancel();
  while (sessions() > 0) co_await ended_.wait();
}

}  // namespace corund::serve
