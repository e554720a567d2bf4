// SPDX-License-Identifier: MIT
// One daemon to a state directory: an flock on the file `lock` in it, with the pid of who has it as its text.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <string>

namespace corund::store {

// Held until destroyed. The kernel drops it with the process, however that ends; the file itself stays and is
// no obstacle.
class DirectoryLock {
 public:
  DirectoryLock() = default;  // of nothing
  // Errors: StoreError locked, naming the pid of who has it; io.
  explicit DirectoryLock(const std::string& directory);

 private:
  corun::UniqueFd file_;
};

}  // namespace corund::store
