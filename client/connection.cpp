// SPDX-License-Identifier: MIT
#include "client/connection.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace corunctl {

namespace wire = corund::wire;

namespace {

// What a daemon sends may be larger than what it takes: a record holds a command's output beside its args.
constexpr wire::FrameLimits reply_limits = {.frame_bytes_max = std::size_t{256} << 20, .depth_max = wire::frame_depth_cap};

constexpr std::size_t read_bytes = std::size_t{64} << 10;

// Connected, or errno of why not.
int connect_to(const std::string& path, corun::UniqueFd& fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  int done;
  do done = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  while (done < 0 && errno == EINTR);
  return done < 0 ? errno : 0;
}

std::string why_not(const std::string& path, int error) {
  switch (error) {
    case ENOENT: return path + ": there is no such socket";
    case ECONNREFUSED: return path + ": nobody listens there";
    case EACCES:
    case EPERM: return path + ": you may not open it; members of the group 'corund' may (usermod -aG corund USER, then log in again)";
    default: return path + ": " + std::strerror(error);
  }
}

}  // namespace

Connection::Connection(std::vector<std::string> paths) : paths_(std::move(paths)), scanner_(reply_limits) { reconnect(); }

void Connection::reconnect() {
  std::string reasons;
  for (const std::string& path : paths_) {
    int error = connect_to(path, fd_);
    if (error == 0) {
      path_ = path;
      paths_ = {path_};  // from here on it is this one's daemon, or nobody's
      has_called_ = false;
      called_.clear();
      buffer_.clear();
      start_ = 0;
      scanner_ = wire::FrameScanner(reply_limits);
      return;
    }
    reasons += "\n  " + why_not(path, error);
  }
  throw Failure("cannot reach the daemon:" + reasons +
                "\nStart it with 'systemctl start corund' (your own: 'systemctl --user start corund'), or say where it listens with --socket "
                "or CORUND_SOCKET.");
}

bool Connection::try_reconnect() {
  try {
    reconnect();
    return true;
  } catch (const Failure&) {
    return false;
  }
}

// False: the daemon reads no more.
bool Connection::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EPIPE || errno == ECONNRESET) return false;
    else if (errno != EINTR) throw Failure("sending to " + path_ + ": " + std::strerror(errno));
  }
  return true;
}

bool Connection::holds_answer() const {
  char first = 0;
  return ::recv(fd_.get(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// A daemon that ends answers what it has been sent, and reads no more: what cannot be sent was not taken, and may be sent to the next one. A
// daemon that sends its callers away has said why before; what it says, or that the connection ends, is found by receive().
void Connection::send(std::string_view method, std::string_view parameters, wire::CallFlags flags) {
  std::string bytes;
  wire::append_call(bytes, method, parameters, flags);
  if (!send_bytes(bytes) && !has_called_ && !holds_answer()) {
    reconnect();
    (void)send_bytes(bytes);
  }
  has_called_ = true;
  if (!flags.oneway) called_.emplace_back(method);
}

Answer Connection::receive() {
  Answer answer;
  while (!take(answer)) fill();
  return answer;
}

Answer Connection::call(std::string_view method, std::string_view parameters) {
  send(method, parameters);
  return receive();
}

void Connection::fill() {
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  } else if (start_ > read_bytes && start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  std::size_t had = buffer_.size();
  buffer_.resize(had + read_bytes);
  ssize_t got;
  do got = ::recv(fd_.get(), buffer_.data() + had, read_bytes, 0);
  while (got < 0 && errno == EINTR);
  int error = errno;
  buffer_.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
  if (got > 0) return;
  if (got == 0 || error == ECONNRESET)
    throw Failure("the daemon at " + path_ + " closed the connection before it answered; 'journalctl -u corund' may say why");
  throw Failure("reading from " + path_ + ": " + std::strerror(error));
}

bool Connection::take(Answer& answer) {
  wire::Scan scan = scanner_.feed(std::string_view(buffer_).substr(start_));
  auto fault = [&](const wire::FrameFault& what) {
    return Failure("what listens on " + path_ + " does not speak varlink: " + std::string(wire::to_string(what.reason)) + " (byte " +
                   std::to_string(what.offset) + " of its reply)");
  };
  if (scan.status == wire::ScanStatus::bad) throw fault(scanner_.fault());
  if (scan.status == wire::ScanStatus::frame) {
    auto reply = wire::parse_reply(scanner_.frame());
    if (reply.has_error()) throw fault(reply.error());
    answer = {std::string(reply->error), std::string(reply->parameters), reply->continues};
    if (!called_.empty()) answer.method = called_.front();
    if (!called_.empty() && !answer.continues) called_.pop_front();
  }
  start_ += scan.consumed;
  return scan.status == wire::ScanStatus::frame;
}

}  // namespace corunctl
