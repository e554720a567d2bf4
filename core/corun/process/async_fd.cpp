// SPDX-License-Identifier: MIT
#include <corun/loop/use_coro.hpp>
#include <corun/process/async_fd.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace corun::detail {

AsyncFd::AsyncFd(LoopCore& loop, UniqueFd fd) : loop_(&loop), descriptor_(io_of(loop)) {
  descriptor_.assign(fd.get());
  fd.release();
}

Coro<> AsyncFd::readable() { co_await descriptor_.async_wait(Descriptor::wait_read, use_coro); }

Coro<> AsyncFd::writable() { co_await descriptor_.async_wait(Descriptor::wait_write, use_coro); }

void AsyncFd::close() noexcept {
  if (!descriptor_.is_open()) return;
  try {
    ::close(descriptor_.release());
  } catch (...) {
    // release() throws where a platform cannot do it; this one can.
  }
}

void set_non_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
    throw std::system_error(errno, std::generic_category(), "fcntl(O_NONBLOCK)");
}

}  // namespace corun::detail
