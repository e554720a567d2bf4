// SPDX-License-Identifier: MIT
#include "client/interrupt.hpp"

#include "client/failure.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace corunctl {

Interrupts::Interrupts() {
  sigset_t ours;
  sigemptyset(&ours);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction current {};
    ::sigaction(signal, nullptr, &current);
    // What nohup(1) set stays. A script's background job also begins with SIGINT ignored, but who sends it one means it.
    if (signal != SIGHUP || current.sa_handler != SIG_IGN) sigaddset(&ours, signal);
  }
  ::sigprocmask(SIG_BLOCK, &ours, &before_);
  fd_.reset(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) throw Failure(std::string("signalfd: ") + std::strerror(errno));
}

Interrupts::~Interrupts() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

int Interrupts::take() {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace corunctl
