// SPDX-License-Identifier: MIT
// A real corund that one peer starts for itself: its descriptors, its environment and its words are the test's.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "integration/daemon.hpp"

namespace tests {

struct PrivateOptions {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  int in = -1, out = -1;  // its stdin and stdout; -1: pipes of ours
  int passed = -1;        // a socket that becomes its descriptor 3, as varlink clients and service managers pass it
  std::string passed_name = "varlink";
};

class PrivateDaemon {
 public:
  explicit PrivateDaemon(PrivateOptions options);
  ~PrivateDaemon();
  PrivateDaemon(const PrivateDaemon&) = delete;
  PrivateDaemon& operator=(const PrivateDaemon&) = delete;

  pid_t pid() const { return pid_; }
  TempDir& directory() { return directory_; }
  void write(const std::string& bytes) const;
  void close_in();
  void close_out();
  // All that it writes to stdout until it closes that.
  std::string read_all();
  // As much as there is of it, at least a byte.
  std::string read_some();
  std::string log() const { return read_file(directory_ / "log"); }
  Ended wait();

 private:
  TempDir directory_;
  int in_ = -1, out_ = -1;
  pid_t pid_ = -1;
  bool ended_ = false;
};

}  // namespace tests
