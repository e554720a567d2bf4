// SPDX-License-Identifier: MIT
// Floor 4. A descriptor that can be waited for. Library-internal: pipes and pidfds stand on it.
#pragma once

#include <corun/base/ref.hpp>
#include <corun/base/unique_fd.hpp>
#include <corun/coro/coro.hpp>
#include <corun/loop/asio.hpp>
#include <corun/loop/loop.hpp>
#include <optional>

namespace corun::detail {

// Owns a non-blocking descriptor and its place in the loop's epoll set, which it takes with the first wait: what is read to its end without
// one never enters it. Keeps the loop's record, so that it may outlive the loop. Threads: the loop's.
class CORUN_API AsyncFd {
 public:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  AsyncFd(LoopCore& loop, UniqueFd fd) noexcept : loop_(&loop), fd_(std::move(fd)) {}
  ~AsyncFd() { close(); }
  AsyncFd(const AsyncFd&) = delete;
  AsyncFd& operator=(const AsyncFd&) = delete;

  bool is_open() const noexcept { return static_cast<bool>(fd_); }
  int fd() const noexcept { return fd_.get(); }
  // To wait with; in the epoll set from here on. Errors: boost::system::system_error.
  Descriptor& descriptor();

  // Returns when there is something to read (or an end, or an error), or room to write. Cancellation: loses nothing.
  // Errors: boost::system::system_error, operation_aborted when closed meanwhile.
  Coro<> readable();
  Coro<> writable();

  // Takes the descriptor out of the epoll set, then closes it. In this order: a child that was just started can hold a copy until its exec
  // is through, and while it does, a mere close() leaves the entry in the set, to fire for whoever gets the number next.
  void close() noexcept;

  unsigned reads_in_a_row = 0;  // for a reader: those that did not have to wait

 private:
  Ref<LoopCore> loop_;
  UniqueFd fd_;
  std::optional<Descriptor> descriptor_;  // of the same number; never closes it
};

// A pipe's end as it was made, with O_NONBLOCK on. Errors: std::system_error.
void set_non_blocking(int fd);

}  // namespace corun::detail
