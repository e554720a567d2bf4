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
  }

  // Only when not empty.
  CORUN_INLINE Runnable& pop() noexcept {
    Runnable* first = head_;
    head_ = first->ready_next;
    if (!head_) tail_ = &head_;
    return *first;
  }

  bool empty() const noexcept { return head_ == nullptr; }

  // Names the present end: the item for which is_at() holds is the last of what is queued now. Only when not empty.
  class Mark {
   public:
    bool is_at(const Runnable& item) const noexcept { return end_ == &item.ready_next; }

   private:
    friend ReadyQueue;
    explicit Mark(Runnable* const* end) noexcept : end_(end) {}
    Runnable* const* end_;
  };
  Mark end() const noexcept { return Mark(tail_); }

 private:
  Runnable* head_ = nullptr;
  Runnable** tail_ = &head_;
};

}  // namespace corun::detail
