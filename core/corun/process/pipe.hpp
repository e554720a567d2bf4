// SPDX-License-Identifier: MIT
// Floor 4. The ends of pipes to and from a child, as streams.
#pragma once

#include <corun/base/export.hpp>
#include <corun/base/unique_fd.hpp>
#include <corun/coro/coro.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace corun {

namespace detail {
class AsyncFd;
class LoopCore;
}  // namespace detail

// What a child writes. A handle on the pipe's end: movable; a read under way keeps the end open until it returns.
class CORUN_API PipeReader {
 public:
  PipeReader() noexcept = default;  // closed
  PipeReader(detail::LoopCore& loop, UniqueFd fd);

  bool is_open() const noexcept;

  // Between 1 and buffer.size() bytes, as soon as there are any; 0 at the end. Cancellation: loses no byte.
  // Errors: RuntimeError where it is closed; std::system_error. Lifetime: the buffer outlives the await. One reader at a time.
  Coro<std::size_t> read_some(std::span<char> buffer);
  // What is there now: a number of bytes, 0 at the end (or where it cannot be read), nothing where one would have to wait.
  std::optional<std::size_t> try_read_some(std::span<char> buffer);
  // How many bytes are in the pipe now; 0 where it is closed.
  std::size_t available() const noexcept;
  // Everything up to the end. Cancellation: what was read before it is lost.
  Coro<std::string> read_all();

  void close() noexcept { fd_.reset(); }

 private:
  std::shared_ptr<detail::AsyncFd> fd_;  // a read under way, or this, is the last one out
};

// What a child reads.
class CORUN_API PipeWriter {
 public:
  PipeWriter() noexcept = default;
  PipeWriter(detail::LoopCore& loop, UniqueFd fd);

  bool is_open() const noexcept;

  // Writes all of it, waiting while the pipe is full. Cancellation: a part may have been written.
  // Errors: std::system_error, EPIPE when nobody reads any more (no SIGPIPE comes); RuntimeError where it is closed.
  // Lifetime: what data refers to outlives the await. One writer at a time.
  Coro<> write(std::string_view data);

  // The reader sees the end, once it has read what was written.
  void close() noexcept { fd_.reset(); }

 private:
  std::shared_ptr<detail::AsyncFd> fd_;
};

}  // namespace corun
