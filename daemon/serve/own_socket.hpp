// SPDX-License-Identifier: MIT
// The listening socket that the daemon makes itself: at a path, with a mode, and never a second one beside a daemon that lives.
#pragma once

#include <sys/types.h>

#include <corun/base/unique_fd.hpp>
#include <stdexcept>
#include <string>

#include "config/config.hpp"

namespace corund::serve {

// Another daemon has the socket; what() names it and its pid.
class SocketInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Binds and listens; takes the path away again when it is destroyed, if it is still this socket's. A socket file that nobody listens at
// is replaced.
class OwnSocket {
 public:
  // Missing directories are made, for their owner only. Errors: SocketInUse; std::system_error that names the path.
  OwnSocket(std::string path, const config::SocketConfig& settings);
  ~OwnSocket();
  OwnSocket(const OwnSocket&) = delete;
  OwnSocket& operator=(const OwnSocket&) = delete;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }
  // Takes the path away, so that nobody finds it any more.
  void remove() noexcept;

 private:
  std::string path_;
  corun::UniqueFd lock_;  // on PATH.lock, for as long as this is there: two daemons that start at once must not both find the path free
  corun::UniqueFd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool is_bound_ = false;
};

}  // namespace corund::serve
