// SPDX-License-Identifier: MIT
// Floor 2. The one door by which other threads reach a loop: callbacks under a lock, and an eventfd that wakes it. Outlives the loop for
// as long as a thread may still knock; after the loop's close every knock is refused.
#pragma once

#include <corun/base/unique_fd.hpp>
#include <corun/loop/handle.hpp>
#include <mutex>
#include <vector>

namespace corun::detail {

class Mailbox {
 public:
  // Errors: std::system_error where the kernel gives no eventfd.
  Mailbox();

  // False: the loop is closed and nothing was taken. Threads: any.
  bool post(Ref<Callback> item);

  // Wakes the loop without a callback. Threads: any; also from a signal handler.
  void wake() noexcept;

  // What was posted since the last call, in order. Threads: the loop's.
  std::vector<Ref<Callback>> take();

  // Refuses from now on, and gives back what was never run.
  std::vector<Ref<Callback>> close();

  int fd() const noexcept { return event_.get(); }

 private:
  std::mutex mutex_;
  std::vector<Ref<Callback>> items_;
  bool closed_ = false;
  UniqueFd event_;
};

}  // namespace corun::detail
