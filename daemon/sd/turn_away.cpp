// SPDX-License-Identifier: MIT
#include "daemon/sd/turn_away.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace corund::sd {

void WaitingCallers::watch(int listener) { listeners_.emplace_back(::fcntl(listener, F_DUPFD_CLOEXEC, 3)); }

// A listener is non-blocking, and has no more than its backlog: callers who come faster than they are sent away find the next process.
std::size_t WaitingCallers::turn_away() {
  constexpr std::size_t most = 4096;  // the kernel's limit of a backlog
  std::size_t count = 0;
  for (const auto& listener : listeners_)
    while (listener && count < most) {
      const corun::UniqueFd caller(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (caller) ++count;
      else if (errno != ECONNABORTED && errno != EINTR) break;
    }
  return count;
}

}  // namespace corund::sd
