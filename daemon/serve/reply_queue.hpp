// SPDX-License-Identifier: MIT
// The replies that a session owes, in the order of their calls. A reply is there already as text, or is a job's id once it is safe, or its outcome, or is written by a
// coroutine when its turn has come. Slots are used again, with their memory.
#pragma once

#include <corun/corun.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daemon/job/job.hpp"

namespace corund::serve {

struct Slot {
  enum class Kind : std::uint8_t { text, id, outcome, body };
  Kind kind = Kind::text;
  bool is_silent = false;            // the call was oneway: nothing is written
  std::string text;                  // of text: complete, envelope and terminator
  job::JobRef job;                   // of id and outcome; of body: a job that belongs to the call
  bool cancels_job = false;          // the job is attached: it ends with the connection
  std::optional<corun::Coro<>> body;

  void reset() noexcept;
};

class ReplyQueue {
 public:
  ReplyQueue() : slots_(8) {}
  ~ReplyQueue() { clear(); }
  ReplyQueue(const ReplyQueue&) = delete;
  ReplyQueue& operator=(const ReplyQueue&) = delete;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  Slot& push();
  Slot& front() noexcept { return at(0); }
  void pop() noexcept;
  // The i-th from the front.
  Slot& at(std::size_t i) noexcept { return slots_[(first_ + i) & (slots_.size() - 1)]; }
  void clear() noexcept;

 private:
  std::vector<Slot> slots_;  // a ring, its size a power of two
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace corund::serve
