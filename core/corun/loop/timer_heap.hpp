// SPDX-License-Identifier: MIT
// Floor 2. The loop's timers: a binary heap of nodes that live in their owners. Equal times keep the order in which they were set.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace corun::detail {

class TimerHeap;

// A node is in at most one heap; its owner removes it before it goes.
class TimerNode {
 public:
  std::chrono::steady_clock::time_point when{};

  bool armed() const noexcept { return index_ != none; }

  // The time has come; the node is out of the heap. Must not throw.
  virtual void expired() noexcept = 0;
  // The loop is closed before the time has come; the node is out of the heap.
  virtual void dropped() noexcept {}

 protected:
  ~TimerNode() = default;

 private:
  friend TimerHeap;
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  std::uint32_t index_ = none;
};

class TimerHeap {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  time_point earliest() const noexcept { return entries_.front().when; }

  void push(TimerNode& node) {
    entries_.push_back({node.when, sequence_++, &node});
    sift_up(entries_.size() - 1);
  }

  void remove(TimerNode& node) noexcept {
    if (!node.armed()) return;
    std::size_t at = node.index_;
    node.index_ = TimerNode::none;
    Entry last = entries_.back();
    entries_.pop_back();
    if (at == entries_.size()) return;
    place(at, last);
    sift_down(sift_up(at));
  }

  TimerNode& pop() noexcept {
    TimerNode& node = *entries_.front().node;
    remove(node);
    return node;
  }

 private:
  struct Entry {
    time_point when;
    std::uint64_t sequence;
    TimerNode* node;
    bool operator<(const Entry& other) const noexcept {
      return when != other.when ? when < other.when : sequence < other.sequence;
    }
  };

  void place(std::size_t at, const Entry& entry) noexcept {
    entries_[at] = entry;
    entry.node->index_ = static_cast<std::uint32_t>(at);
  }

  std::size_t sift_up(std::size_t at) noexcept {
    Entry entry = entries_[at];
    while (at > 0) {
      std::size_t parent = (at - 1) / 2;
      if (!(entry < entries_[parent])) break;
      place(at, entries_[parent]);
      at = parent;
    }
    place(at, entry);
    return at;
  }

  void sift_down(std::size_t at) noexcept {
    Entry entry = entries_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= entries_.size()) break;
      if (child + 1 < entries_.size() && entries_[child + 1] < entries_[child]) ++child;
      if (!(entries_[child] < entry)) break;
      place(at, entries_[child]);
      at = child;
    }
    place(at, entry);
  }

  std::vector<Entry> entries_;
  std::uint64_t sequence_ = 0;
};

}  // namespace corun::detail
