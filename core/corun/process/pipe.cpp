// SPDX-License-Identifier: MIT
// A system call is tried before anything is waited for: a wait costs two more. So that a child that never stops writing cannot keep
// the loop to itself, a reader gives way after a number of reads that found something at once; before the next read, not after the last, so that
// a cancellation there finds no bytes in its hands.
#include <corun/process/async_fd.hpp>
#include <corun/process/pipe.hpp>
#include <corun/task/sleep.hpp>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>

namespace corun {
namespace {

constexpr unsigned reads_in_a_row_max = 8;
constexpr std::size_t chunk_bytes = 16 * 1024;

std::shared_ptr<detail::AsyncFd> make(detail::LoopCore& loop, UniqueFd fd) {
  detail::set_non_blocking(fd.get());
  return std::make_shared<detail::AsyncFd>(loop, std::move(fd));
}

// write() without the SIGPIPE, which pipes have no flag against: it is held back in this thread and taken out of its pending set.
ssize_t quiet_write(int fd, std::string_view data) {
  sigset_t pipe, before, pending;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::sigpending(&pending);
  const bool was_pending = ::sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t written = ::write(fd, data.data(), data.size());
  const int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    const timespec at_once{0, 0};
    while (::sigtimedwait(&pipe, nullptr, &at_once) < 0 && errno == EINTR) continue;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

}  // namespace

PipeReader::PipeReader(detail::LoopCore& loop, UniqueFd fd) : fd_(make(loop, std::move(fd))) {}

bool PipeReader::is_open() const noexcept { return fd_ && fd_->is_open(); }

Coro<std::size_t> PipeReader::read_some(std::span<char> buffer) {
  const auto fd = fd_;
  if (!fd) throw RuntimeError("read from a pipe that is closed");
  if (fd->reads_in_a_row >= reads_in_a_row_max) {
    fd->reads_in_a_row = 0;
    co_await sleep(std::chrono::nanoseconds(0));
  }
  for (;;) {
    const ssize_t n = ::read(fd->fd(), buffer.data(), buffer.size());
    if (n >= 0) {
      ++fd->reads_in_a_row;
      co_return static_cast<std::size_t>(n);
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw std::system_error(errno, std::generic_category(), "read from a child");
    fd->reads_in_a_row = 0;
    co_await fd->readable();
  }
}

std::optional<std::size_t> PipeReader::try_read_some(std::span<char> buffer) {
  if (!is_open()) return 0;
  for (;;) {
    const ssize_t n = ::read(fd_->fd(), buffer.data(), buffer.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) return 0;
  }
}

std::size_t PipeReader::available() const noexcept {
  int bytes = 0;
  return is_open() && ::ioctl(fd_->fd(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

Coro<std::string> PipeReader::read_all() {
  std::string text;
  for (;;) {
    const std::size_t before = text.size();
    text.resize(before + chunk_bytes);
    const std::size_t n = co_await read_some(std::span<char>(text).subspan(before));
    text.resize(before + n);
    if (n == 0) co_return text;
  }
}

PipeWriter::PipeWriter(detail::LoopCore& loop, UniqueFd fd) : fd_(make(loop, std::move(fd))) {}

bool PipeWriter::is_open() const noexcept { return fd_ && fd_->is_open(); }

Coro<> PipeWriter::write(std::string_view data) {
  const auto fd = fd_;
  if (!fd) throw RuntimeError("write to a pipe that is closed");
  while (!data.empty()) {
    const ssize_t n = quiet_write(fd->fd(), data);
    if (n >= 0)
      data.remove_prefix(static_cast<std::size_t>(n));
    else if (errno == EAGAIN)
      co_await fd->writable();
    else if (errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "write to a child");
  }
}

}  // namespace corun
