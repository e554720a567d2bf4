// SPDX-License-Identifier: MIT
// A server under measurement: a child process, one connection to it, and what its threads have used of the CPU.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

class Server {
 public:
  // Starts it and connects, trying until it listens. Errors: std::runtime_error.
  Server(std::vector<std::string> command, std::string socket);
  ~Server();  // SIGTERM, and waits
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void send(std::string_view data);
  // Reads until `size` more bytes have come.
  void receive(std::size_t size);
  // Reads up to and with the next NUL.
  std::string receive_frame();

  // CPU time of all its threads so far, in ns, as the kernel's scheduler counts it. Waits until the process sleeps.
  double cpu_ns() const;
  pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_;
  std::string socket_path_;
  int fd_ = -1;
  std::string buffered_;
};

}  // namespace bench
