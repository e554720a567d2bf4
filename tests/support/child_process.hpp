// SPDX-License-Identifier: MIT
// Runs a scenario in a forked child and tells how the child ended: for what may end the process, and for what
// is written to stderr.
#pragma once

#include <string>

#include <functional>

namespace tests {

struct ChildEnd {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;      // 0: it exited
  std::string errors;  // what it wrote to stderr
};

// The child has SIGINT, SIGTERM and SIGALRM at their defaults and is killed by SIGALRM after `seconds_max`.
// Its exit code is what `scenario` returns; 99 where it throws, with the exception's text on stderr. Fork
// happens in the calling thread, which is the child's main one.
ChildEnd in_child(const std::function<int()>& scenario, unsigned seconds_max = 30);

}  // namespace tests
