// SPDX-License-Identifier: MIT
// What a process that cannot start owes the callers who wait at its sockets: an end. The manager would start the service again for them at once,
// and at the fifth time give up on it and on its socket.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <vector>

namespace corund::sd {

// Copies of listening sockets that outlive whoever takes the sockets themselves.
class WaitingCallers {
 public:
  // The descriptor stays the caller's.
  void watch(int listener);
  // Accepts whoever waits and closes the connection, which its caller sees as an end of file. Returns how many there were.
  std::size_t turn_away();

 private:
  std::vector<corun::UniqueFd> listeners_;
};

}  // namespace corund::sd
