// SPDX-License-Identifier: MIT
// Floor 2. What the ready queue holds: task steps and callbacks, linked through themselves.
#pragma once

#include <corun/base/export.hpp>
#include <cstddef>

namespace corun::detail {

class Runnable {
 public:
  // Runs on the loop's thread. The queue's hold on the object passes to run().
  // May throw KeyboardInterrupt and SystemExit only: they leave the loop.
  virtual void run() = 0;

  // The loop is destroyed with this still queued: give up the queue's hold.
  virtual void dispose() noexcept = 0;

  Runnable* ready_next = nullptr;

 protected:
  ~Runnable() = default;
};

// First in, first out; never allocates.
class ReadyQueue {
 public:
  CORUN_INLINE void push(Runnable& item) noexcept {
    item.ready_next = nullptr;
    *tail_ = &item;
    tail_ = &item.ready_next;
    ++size_;
  }

  // Only when not empty.
  CORUN_INLINE Runnable& pop() noexcept {
    Runnable* first = head_;
    head_ = first->ready_next;
    if (!head_) tail_ = &head_;
    --size_;
    return *first;
  }

  // Takes an item out of the middle; linear, for what ends without being run. False: it was not here.
  bool remove(Runnable& item) noexcept {
    for (Runnable** at = &head_; *at; at = &(*at)->ready_next) {
      if (*at != &item) continue;
      *at = item.ready_next;
      if (tail_ == &item.ready_next) tail_ = at;
      --size_;
      return true;
    }
    return false;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  Runnable* head_ = nullptr;
  Runnable** tail_ = &head_;
  std::size_t size_ = 0;
};

}  // namespace corun::detail
