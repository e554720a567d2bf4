// SPDX-License-Identifier: MIT
// The loop reads the eventfd only through Asio; a write while one is unread merely adds to the counter, so posts between two looks
// of the loop cost one system call, the first one's.
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <corun/loop/mailbox.hpp>
#include <system_error>

namespace corun::detail {

Mailbox::Mailbox() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

bool Mailbox::post(Ref<Callback> item) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    if (items_.size() > 1) return true;
  }
  wake();
  return true;
}

void Mailbox::wake() noexcept {
  int saved = errno;
  std::uint64_t one = 1;
  // EAGAIN: the counter is full, so the loop is being woken anyway.
  [[maybe_unused]] auto written = ::write(event_.get(), &one, sizeof one);
  errno = saved;
}

std::vector<Ref<Callback>> Mailbox::take() {
  std::lock_guard lock(mutex_);
  return std::exchange(items_, {});
}

std::vector<Ref<Callback>> Mailbox::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  return std::exchange(items_, {});
}

}  // namespace corun::detail
