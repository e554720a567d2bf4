// SPDX-License-Identifier: MIT
// Each message is one datagram on a socket of its own, as libsystemd does it: the manager binds its socket anew when it is re-executed,
// and a connection made before would lead nowhere.
#include "daemon/sd/notify.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cerrno>
#include <corun/base/unique_fd.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "daemon/sd/text.hpp"

namespace corund::sd {
namespace {

// The manager throws a longer datagram away as a whole (PIPE_BUF); our other lines need far less than the difference.
constexpr std::size_t datagram_bytes_max = 4096;
constexpr std::size_t status_bytes_max = 3500;
constexpr auto status_interval = std::chrono::seconds(1);
// READY and STOPPING are worth waiting for a place in the manager's queue; nothing waits longer.
constexpr int important_wait_ms = 500;

std::string extend_line(std::chrono::nanoseconds extend) {
  return "EXTEND_TIMEOUT_USEC=" + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(extend).count());
}

// A datagram, with a descriptor unless that is -1.
bool send_once(int socket, std::string_view text, int passed) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof passed)] = {};
  if (passed >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof passed);
    std::memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

}  // namespace

Notifier Notifier::from_environment() {
  const char* address = std::getenv("NOTIFY_SOCKET");
  return Notifier(address ? address : "");
}

Notifier::Notifier(std::string address) : address_(std::move(address)) {
  const bool known = address_.size() > 1 && (address_[0] == '/' || address_[0] == '@');
  if (!known || address_.size() >= sizeof(sockaddr_un::sun_path)) address_.clear();
}

void Notifier::ready(std::string_view status) { send(with_status("READY=1", status), true); }

// The manager compares with CLOCK_MONOTONIC, which is what steady_clock reads on Linux.
void Notifier::reloading(std::string_view status) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(clock::now().time_since_epoch());
  send(with_status("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()), status), true);
}

void Notifier::stopping(std::string_view status, std::chrono::nanoseconds extend) {
  send(with_status("STOPPING=1\n" + extend_line(extend), status), true);
}

void Notifier::extend_timeout(std::chrono::nanoseconds extend) { send(extend_line(extend), false); }

void Notifier::failed(std::string_view status, int error, std::string_view varlink_error) {
  std::string message = with_status("", status).substr(1);
  if (error > 0) message += "\nERRNO=" + std::to_string(error);
  if (!varlink_error.empty()) message += "\nVARLINKERROR=" + std::string(varlink_error);
  send(message, true);
}

void Notifier::keep(int fd, std::string_view name) { send("FDSTORE=1\nFDNAME=" + std::string(name), true, fd); }
void Notifier::drop(std::string_view name) { send("FDSTOREREMOVE=1\nFDNAME=" + std::string(name), true); }

std::size_t Notifier::kept_max() {
  const char* const text = std::getenv("FDSTORE");
  return text ? std::strtoul(text, nullptr, 10) : 0;
}

void Notifier::ping() { send("WATCHDOG=1", false); }

void Notifier::status(std::string_view text) {
  if (!enabled()) return;
  std::string line = one_line(text, status_bytes_max);
  if (line == sent_)
    kept_.reset();
  else
    kept_ = std::move(line);
  tick();
}

void Notifier::tick() {
  const auto now = clock::now();
  if (!kept_ || (sent_at_ != clock::time_point::min() && now - sent_at_ < status_interval)) return;
  sent_ = std::move(*kept_);
  kept_.reset();
  sent_at_ = now;
  send("STATUS=" + sent_, false);
}

std::string Notifier::with_status(std::string_view message, std::string_view status) {
  sent_ = one_line(status, status_bytes_max);
  kept_.reset();
  sent_at_ = clock::now();
  return std::string(message) + "\nSTATUS=" + sent_;
}

void Notifier::send(std::string_view message, bool important, int passed) {
  if (!enabled() || message.size() > datagram_bytes_max) return;
  corun::UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (address_[0] == '@') to.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // An abstract name is as long as given; a path ends with its zero byte.
  const socklen_t length = address_[0] == '@' ? size : size + 1;
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), length) != 0) return;
  if (send_once(fd.get(), message, passed) || !important || errno != EAGAIN) return;
  pollfd room{fd.get(), POLLOUT, 0};
  if (::poll(&room, 1, important_wait_ms) > 0) (void)send_once(fd.get(), message, passed);
}

}  // namespace corund::sd
