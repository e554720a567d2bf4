// SPDX-License-Identifier: MIT
// Floor 2. What a watchdog thread may read of a running loop: which step is under way, whose it is and where it went on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

namespace corun {

// Written by the loop before each step (relaxed, a few nanoseconds), while `enabled`; read by one other thread. A reader that sees
// the same step_number before and after its reads has a consistent picture, and one that sees it unchanged and `running` at two looks
// knows that this one step has lasted at least as long as it waited between them. A reader need not look at a loop that rests: it
// sleeps until the loop's next step.
struct StepProbe {
  static constexpr std::size_t label_bytes = 32;
  using Label = std::array<std::uint64_t, label_bytes / 8>;

  std::atomic<bool> enabled{false};            // set by who reads; the loop writes nothing before
  std::atomic<std::uint64_t> step_number{0};   // counts up before each step and callback
  std::atomic<bool> running{false};            // false: the loop waits for I/O
  std::array<std::atomic<std::uint64_t>, label_bytes / 8> scope_label{};  // the first 31 bytes of the scope's label; empty: none
  // The await at which the step goes on; null in a first step and in a callback. Static strings: always safe to read.
  std::atomic<const char*> file{nullptr};
  std::atomic<const char*> function{nullptr};
  std::atomic<std::uint32_t> line{0};
  std::atomic<int> reader_sleeps{0};

  // For the loop's thread: a step begins. Whether the reader sleeps is asked only where the loop has rested; the exchange and the reader's store
  // are in one order, so that one of the two sees the other.
  void begin_step() noexcept {
    step_number.store(step_number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (running.load(std::memory_order_relaxed)) return;
    running.exchange(true);
    if (reader_sleeps.load()) wake_reader();
  }

  // For the loop's thread: the step has gone into something that has a name of its own, a static string, and no await yet.
  void enters(const char* name) noexcept {
    file.store(nullptr, std::memory_order_relaxed);
    function.store(name, std::memory_order_relaxed);
  }

  // For the reading thread: returns at once while the loop runs a step, else with its next one. Whoever wants it to return before makes
  // given_up() true and calls wake_reader() then.
  template <class GivenUp>
  void wait_for_step(GivenUp given_up) {
    reader_sleeps.store(1);
    if (!running.load() && !given_up()) reader_sleeps.wait(1);
    reader_sleeps.store(0);
  }

  // From any thread.
  void wake_reader() noexcept {
    reader_sleeps.store(0);
    reader_sleeps.notify_all();
  }

  // The scope's label as text. For the reading thread.
  std::string label() const {
    char text[label_bytes + 1] = {};
    for (std::size_t i = 0; i < scope_label.size(); ++i) {
      std::uint64_t word = scope_label[i].load(std::memory_order_relaxed);
      std::memcpy(text + 8 * i, &word, 8);
    }
    return text;
  }

  static Label pack(const std::string& label) noexcept {
    Label words{};
    std::memcpy(words.data(), label.data(), label.size() < label_bytes ? label.size() : label_bytes - 1);
    return words;
  }
};

}  // namespace corun
