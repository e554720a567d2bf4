// SPDX-License-Identifier: MIT
// The listening socket that the daemon makes itself: at a path, with a mode, and never a second one beside a daemon that lives.
// A service manager may keep it over a restart.
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
  // Missing directories are made, for their owner only. kept: a listening socket that a former daemon bound at the path and left to stay behind; it is
  // taken over if the path still leads to it. Errors: SocketInUse; std::system_error that names the path.
  OwnSocket(std::string path, const config::SocketConfig& settings, corun::UniqueFd kept = {});
  ~OwnSocket();
  OwnSocket(const OwnSocket&) = delete;
  OwnSocket& operator=(const OwnSocket&) = delete;

  int fd() const noexcept { return fd_.get(); }
  const std::string& path() const noexcept { return path_; }
  // Whether it is the kept one, taken over.
  bool was_kept() const noexcept { return was_kept_; }
  // The socket is kept by somebody else too, for the next daemon: from now on its path is not taken away, and who connects in between waits.
  void stay_behind() noexcept { stays_ = true; }
  bool stays_behind() const noexcept { return stays_; }
  // Takes the path away, so that nobody finds it any more, unless it stays behind; others may take it then.
  void remove() noexcept;

 private:
  std::string path_;
  corun::UniqueFd lock_;  // on PATH.lock, for as long as this is there: two daemons that start at once must not both find the path free
  corun::UniqueFd fd_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool is_bound_ = false;
  bool stays_ = false;
  bool was_kept_ = false;
};

}  // namespace corund::serve
