// SPDX-License-Identifier: MIT
// Floor 4. Event: tasks wait until a flag is set.
#pragma once

#include <corun/coro/coro.hpp>
#include <corun/sync/wait_list.hpp>

namespace corun {

// A flag that tasks wait for. Made anywhere; belongs to the loop of its first wait that parks.
// Lifetime: destroyed while tasks wait, it ends their wait with a CancelledError that says so.
// Threads: its loop's thread; from others Loop::call_soon_threadsafe([&] { event.set(); }).
// Source: asyncio.Event.
class CORUN_API Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Sets the flag and wakes all who wait; they go on in the next pass, in the order in which they came, even if clear() follows at once.
  void set();
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

  // Returns at once, without suspending, where the flag is set; otherwise once set() is called.
  // Cancellation: at once; nothing can be lost. Errors: RuntimeError where the event is bound to another loop.
  Coro<> wait();

 private:
  bool set_ = false;
  detail::LoopBinding binding_{"an event"};
  detail::WaitList waiters_{binding_};
};

}  // namespace corun
