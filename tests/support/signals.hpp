// SPDX-License-Identifier: MIT
// Real signals in tests. Catch2 has handlers of its own installed while a test case runs, so a test that
// wants the default says so.
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

namespace tests {

// A signal's disposition for the length of a scope.
class Disposition {
 public:
  Disposition(int signal, void (*handler)(int)) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, &before_);
  }
  ~Disposition() { ::sigaction(signal_, &before_, nullptr); }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;

 private:
  int signal_;
  struct sigaction before_ {};
};

// Whether the disposition of a signal is this very handler (SIG_DFL and SIG_IGN count as handlers).
inline bool disposition_is(int signal, void (*handler)(int)) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler;
}

inline pid_t thread_id() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

inline void signal_thread(pid_t thread, int signal) { ::syscall(SYS_tgkill, ::getpid(), thread, signal); }

// Returns once the kernel shows that thread asleep: blocked in a system call.
inline void wait_until_asleep(pid_t thread) {
  std::string path = "/proc/self/task/" + std::to_string(thread) + "/stat";
  for (;;) {
    std::string text;
    std::getline(std::ifstream(path), text);
    auto name_end = text.rfind(')');
    if (name_end != text.npos && name_end + 2 < text.size() && text[name_end + 2] == 'S') return;
    std::this_thread::yield();
  }
}

}  // namespace tests
