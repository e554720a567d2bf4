// SPDX-License-Identifier: MIT
#include <corun/loop/use_coro.hpp>
#include <corun/process/async_fd.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace corun::detail {

AsyncFd::Descriptor& AsyncFd::descriptor() {
  if (!descriptor_) descriptor_.emplace(io_of(*loop_), fd_.get());
  return *descriptor_;
}

Coro<> AsyncFd::readable() { co_await descriptor().async_wait(Descriptor::wait_read, use_coro); }

Coro<> AsyncFd::writable() { co_await descriptor().async_wait(Descriptor::wait_write, use_coro); }

void AsyncFd::close() noexcept {
  try {
    if (descriptor_) descriptor_->release();
  } catch (...) {
    // release() throws where a platform cannot do it; this one can.
  }
  fd_.reset();
}

void set_non_blocking(int fd) {
  // A new pipe has no other flag that could be lost.
  if (::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) throw std::system_error(errno, std::generic_category(), "fcntl(O_NONBLOCK)");
}

}  // namespace corun::detail
