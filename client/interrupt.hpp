// SPDX-License-Identifier: MIT
// Room: Ctrl-C and its kin as something to poll for, while a job is attached to this terminal.
#pragma once

#include <corun/base/unique_fd.hpp>

#include <csignal>

namespace corunctl {

// From construction on, SIGINT, SIGTERM and SIGHUP no longer end the process: fd() becomes readable. The destructor gives them back.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int fd() const noexcept { return fd_.get(); }
  // The signal that came, or 0.
  int take();

 private:
  corun::UniqueFd fd_;
  sigset_t before_;
};

}  // namespace corunctl
