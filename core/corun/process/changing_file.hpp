// SPDX-License-Identifier: MIT
// Floor 4. A file of the kernel's whose content changes by itself and that says so: cgroup.events, the pressure files, /proc/mounts.
#pragma once

#include <corun/base/export.hpp>
#include <corun/base/unique_fd.hpp>
#include <corun/coro/coro.hpp>
#include <memory>
#include <string>

namespace corun {

namespace detail {
class AsyncFd;
}

// Threads: the loop's. Lifetime: an await of changed() keeps the file open.
class CORUN_API ChangingFile {
 public:
  // fd: open for reading, on a file for which poll(2) reports POLLPRI when it has changed since it was read.
  // Errors: std::system_error; RuntimeError outside a loop.
  explicit ChangingFile(UniqueFd fd);

  // What it holds now, up to a page of it. Errors: std::system_error.
  std::string read();
  // Returns when it has changed since the last read(), at once where it has already. Cancellation: loses nothing.
  Coro<> changed();

 private:
  std::shared_ptr<detail::AsyncFd> fd_;  // changed(), or this, is the last one out
};

}  // namespace corun
