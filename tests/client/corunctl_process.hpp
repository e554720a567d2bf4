// SPDX-License-Identifier: MIT
// The real corunctl as a child process of a test.
#pragma once

#include <corun/base/unique_fd.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tests {

// What a run of the real corunctl came to.
struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

// A corunctl that runs. Its standard input is empty; its environment is ours and `variables`.
class Corunctl {
 public:
  Corunctl(const std::string& socket, std::vector<std::string> words, std::vector<std::string> variables = {});
  void signal(int number) const;
  // What comes on its standard output next.
  std::string read_some();
  // Until it holds the signal back to read it itself: before that, it would just end by it.
  void wait_for_blocked(int number) const;
  Ran wait();  // once

 private:
  int pid_ = -1;
  corun::UniqueFd out_;
  corun::UniqueFd err_;
};

// With a daemon, a real one or a fake: whatever has a socket().
template <class Daemon>
Ran run_corunctl(const Daemon& daemon, std::vector<std::string> words, std::vector<std::string> variables = {}) {
  return Corunctl(daemon.socket(), std::move(words), std::move(variables)).wait();
}

}  // namespace tests
