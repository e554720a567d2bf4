// SPDX-License-Identifier: MIT
#include "daemon/serve/reply_queue.hpp"

namespace corund::serve {

void Slot::reset() noexcept {
  kind = Kind::text;
  is_silent = false;
  constexpr std::size_t keep = 4096;  // of a recycled slot's text
  if (text.capacity() > keep)
    text = std::string();
  else
    text.clear();
  job.release();
  cancels_job = false;
  if (body) body->close();  // its turn never came
  body.reset();
}

Slot& ReplyQueue::push() {
  if (size_ == slots_.size()) {
    std::vector<Slot> larger(slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(at(i));
    slots_ = std::move(larger);
    first_ = 0;
  }
  return at(size_++);
}

void ReplyQueue::pop() noexcept {
  front().reset();
  first_ = (first_ + 1) & (slots_.size() - 1);
  --size_;
}

void ReplyQueue::clear() noexcept {
  while (!empty()) pop();
}

}  // namespace corund::serve
