// SPDX-License-Identifier: MIT
// The descriptors are used as they come, blocking: they are asked for readiness, and read and written in portions that do not block then
// (a pipe that is ready takes PIPE_BUF). Files cannot be asked, and need not be.
#include "daemon/serve/stdio.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace corund::serve {
namespace {

constexpr std::size_t in_bytes = 16 * 1024;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// A copy out of the way of 0 and 1.
corun::UniqueFd copy_of(int fd, const char* name) {
  corun::UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) fail(name);
  return copy;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_one_socket() {
  struct stat in {}, out {};
  if (::fstat(STDIN_FILENO, &in) != 0 || ::fstat(STDOUT_FILENO, &out) != 0) return false;
  return in.st_dev == out.st_dev && in.st_ino == out.st_ino && option_of(STDIN_FILENO, SO_DOMAIN) == AF_UNIX &&
         option_of(STDIN_FILENO, SO_TYPE) == SOCK_STREAM;
}

// What a write to stdout or a read of stdin by somebody else finds from now on.
void put_others_in_place() {
  corun::UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDIN_FILENO) < 0) fail("/dev/null for stdin");
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) fail("stderr for stdout");
}

ssize_t uninterrupted(auto operation) {
  for (;;) {
    const ssize_t n = operation();
    if (n >= 0 || errno != EINTR) return n;
  }
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

Readiness::Readiness(corun::Loop& loop, int fd, std::uint32_t events) {
  corun::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) fail("epoll");
  epoll_event event{};
  event.events = events;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno == EPERM) return;  // a file
    fail("epoll");
  }
  epoll_.emplace(loop.io_context(), epoll.get());
  epoll.release();
}

corun::Coro<> Readiness::wait() {
  if (epoll_) co_await epoll_->async_wait(Descriptor::wait_read, corun::use_coro);
}

Stdio::Stdio(corun::Loop& loop, std::chrono::nanoseconds stall_max) : stall_max_(stall_max) {
  if (is_one_socket()) {
    is_direct_ = true;
    connection_ = copy_of(STDIN_FILENO, "stdin");
    const int flags = ::fcntl(connection_.get(), F_GETFL);
    if (flags < 0 || ::fcntl(connection_.get(), F_SETFL, flags | O_NONBLOCK) != 0) fail("stdin");
  } else {
    in_ = copy_of(STDIN_FILENO, "stdin");
    out_ = copy_of(STDOUT_FILENO, "stdout");
    in_ready_.emplace(loop, in_.get(), EPOLLIN);
    out_ready_.emplace(loop, out_.get(), EPOLLOUT);
    out_gone_.emplace(loop, out_.get(), 0);
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) fail("socketpair");
    connection_.reset(pair[0]);
    inner_.emplace(loop.io_context(), pair[1]);
  }
  put_others_in_place();
}

corun::Coro<> Stdio::copy() {
  if (is_direct_) co_return;
  co_await corun::task_group([this](corun::TaskGroup& group) -> corun::Coro<> {
    corun::AnyTask in = group.create_task(copy_in(), {.name = "stdin"});
    corun::AnyTask hangup = group.create_task(watch_hangup(), {.name = "stdout: hang-up"});
    co_await copy_out();
    in.cancel();
    hangup.cancel();
  });
}

corun::Coro<> Stdio::copy_in() {
  std::array<char, in_bytes> bytes;
  for (;;) {
    co_await in_ready_->wait();
    const ssize_t n = uninterrupted([&] { return ::read(in_.get(), bytes.data(), bytes.size()); });
    if (n < 0 && would_block()) continue;
    if (n <= 0) break;
    for (std::string_view rest(bytes.data(), static_cast<std::size_t>(n)); !rest.empty();) {
      const ssize_t sent = uninterrupted([&] { return ::send(inner_->native_handle(), rest.data(), rest.size(), MSG_NOSIGNAL); });
      if (sent >= 0)
        rest.remove_prefix(static_cast<std::size_t>(sent));
      else if (would_block())
        co_await inner_->async_wait(Descriptor::wait_write, corun::use_coro);
      else
        co_return;  // the session is over
    }
  }
  ::shutdown(inner_->native_handle(), SHUT_WR);
}

corun::Coro<> Stdio::copy_out() {
  std::array<char, in_bytes> bytes;
  for (;;) {
    const ssize_t n = uninterrupted([&] { return ::recv(inner_->native_handle(), bytes.data(), bytes.size(), 0); });
    if (n == 0 || (n < 0 && !would_block())) co_return;
    if (n < 0)
      co_await inner_->async_wait(Descriptor::wait_read, corun::use_coro);
    else
      co_await write_out({bytes.data(), static_cast<std::size_t>(n)});
  }
}

corun::Coro<> Stdio::write_out(std::string_view bytes) {
  while (!bytes.empty()) {
    bool is_stuck = false;
    try {
      co_await corun::timeout(stall_max_, [this](corun::Timeout&) -> corun::Coro<> { co_await out_ready_->wait(); });
    } catch (const corun::TimeoutError&) {
      is_stuck = true;
    }
    const std::size_t portion = std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const ssize_t n = is_stuck ? -1 : uninterrupted([&] { return ::write(out_.get(), bytes.data(), portion); });
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (is_stuck || !would_block()) {
      ::shutdown(inner_->native_handle(), SHUT_RDWR);  // a hang-up to the session
      co_return;
    }
  }
}

corun::Coro<> Stdio::watch_hangup() {
  if (!out_gone_->is_known()) co_return;
  co_await out_gone_->wait();
  ::shutdown(inner_->native_handle(), SHUT_RDWR);
}

}  // namespace corund::serve
