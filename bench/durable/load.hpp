// SPDX-License-Identifier: MIT
// Many connections to one server, each with the same number of calls in flight: a batch of calls in one
// write, the next one when all its replies have come. One thread, so that it takes little of the machine from
// the server.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace bench {

struct LoadResult {
  std::size_t calls = 0;
  double seconds = 0;
};

class Load {
 public:
  // Connects. call: the bytes of one call. reply_end: the byte that ends each reply and occurs nowhere else
  // in it; reply_begin: what each reply begins with, anything else being an error. Errors:
  // std::runtime_error.
  Load(const std::string& socket, std::string call, std::string reply_begin, char reply_end,
       std::size_t connections, std::size_t in_flight);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Calls for as long as this, or until at least so many calls (whatever comes first), and waits for the
  // replies to all.
  LoadResult run(std::chrono::milliseconds time, std::size_t calls_max = static_cast<std::size_t>(-1));

 private:
  struct Connection {
    int fd = -1;
    std::size_t owed = 0;
    std::string reply;  // its part that has come
  };

  void send_batch(Connection& connection);
  void receive(Connection& connection);
  void check(const std::string& reply) const;

  std::string batch_;
  std::string reply_begin_;
  char reply_end_;
  std::size_t in_flight_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
};

}  // namespace bench
