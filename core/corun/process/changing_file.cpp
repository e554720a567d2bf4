// SPDX-License-Identifier: MIT
// epoll looks at the state of the file again when a wait is armed, so that a change between a read and the wait is not missed.
#include <corun/loop/use_coro.hpp>
#include <corun/process/async_fd.hpp>
#include <corun/process/changing_file.hpp>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace corun {

ChangingFile::ChangingFile(UniqueFd fd) : fd_(std::make_shared<detail::AsyncFd>(detail::running_loop(), std::move(fd))) {}

std::string ChangingFile::read() {
  std::string text(4096, '\0');
  const ssize_t n = ::pread(fd_->fd(), text.data(), text.size(), 0);
  if (n < 0) throw std::system_error(errno, std::generic_category(), "cannot read a file of the kernel's");
  text.resize(static_cast<std::size_t>(n));
  return text;
}

Coro<> ChangingFile::changed() {
  const auto fd = fd_;
  co_await fd->descriptor().async_wait(detail::AsyncFd::Descriptor::wait_error, use_coro);
}

}  // namespace corun
