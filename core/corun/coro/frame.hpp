// SPDX-License-Identifier: MIT
// Floor 1. What every coroutine frame of ours begins with, and the chain of frames that a task runs.
//
// The model: a task owns a chain of frames, the coroutine it was made from at the bottom, the one that runs or is parked on top.
// Awaiting a Coro pushes its frame, its end pops it; both only move `Chain::top` and return to the pump (task/task_core.cpp), which
// resumes whatever is on top until the chain parks or is empty. That makes depth cost heap and never machine stack, whatever
// the compiler does with tail calls, and it makes the chain the await stack that can be shown.
//
// A frame that was started belongs to its chain, not to the Coro it came from: a chain that ends early destroys its frames from
// the top down in a loop. An awaiter in a frame therefore owns nothing of the frame it waits for.
#pragma once

#include <corun/base/export.hpp>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>

namespace corun::detail {

struct Chain;
struct FrameBase;

using FrameHandle = std::coroutine_handle<FrameBase>;

// The first part of each promise. Promises are at most 16-byte aligned, so the handle can be had from this base.
struct FrameBase {
  explicit FrameBase(std::source_location where) noexcept : function(where) {}
  FrameBase(const FrameBase&) = delete;
  FrameBase& operator=(const FrameBase&) = delete;

  FrameHandle handle() noexcept { return FrameHandle::from_promise(*this); }

  // The frame that awaits this one; null at the bottom and before the start. The lowest bit says that this frame is an async
  // generator's, which its own handle owns and not the chain.
  FrameBase* caller() const noexcept { return reinterpret_cast<FrameBase*>(caller_bits & ~std::uintptr_t{1}); }
  bool is_generator() const noexcept { return (caller_bits & 1) != 0; }

  std::uintptr_t caller_bits = 0;
  Chain* chain = nullptr;         // null before the start
  std::source_location await_at;  // the co_await it stands at, or stood at last; line 0: none yet
  std::source_location function;  // its name; the line is not meaningful with g++ 12 (it is that of the closing brace)
};

// What parked a chain: an object in the top frame that will make the task ready again.
class Waiter {
 public:
  // Asks what is waited for to end early. True: it took the request and will wake the task, perhaps later. False: it cannot, and
  // the task itself must remember the request.
  virtual bool cancel(const std::string& message) = 0;

  // What is waited for, as a noun for reports: "a timer", "a future", "an operation".
  virtual const char* what() const noexcept = 0;

  // The name of what was begun, where it has one: "async_read_some". Empty: none.
  virtual std::string operation() const { return {}; }

 protected:
  ~Waiter() = default;
};

// The frames of a task. Task core derives from it.
struct Chain {
  FrameBase* top = nullptr;
  Waiter* waiter = nullptr;  // set while parked on something that can be asked to cancel
  bool parked = false;       // set by the awaiter that stops the pump
  bool cancel_pends = false;  // a request was made while parked, and the chain is parked still
  bool must_cancel = false;  // a request that no waiter took: thrown at the next resumption

  CORUN_INLINE void park(Waiter* on) noexcept {
    waiter = on;
    parked = true;
  }
};

// Clears must_cancel and throws the CancelledError. Defined with the task (task/task_core.cpp).
[[noreturn]] CORUN_API void throw_cancelled(Chain& chain);

// Keeps the text that a CancelledError will carry. Defined with the task.
CORUN_API void remember_cancel_message(Chain& chain, const std::string& message);

// Makes a parked chain's task ready; it goes on in the next pass. Defined with the task.
CORUN_API void wake(Chain& chain) noexcept;

// Every awaiter that parks calls this first thing when it is resumed.
CORUN_INLINE void deliver_cancel(Chain& chain) {
  if (chain.must_cancel) [[unlikely]]
    throw_cancelled(chain);
}

// In debug mode: a coroutine's frame was made at `block`, or goes. Keeps who made it, for never_awaited(). Defined with the task
// (task/frame_origins.cpp).
CORUN_API void frame_made(void* block) noexcept;
CORUN_API void frame_gone(void* block) noexcept;

// What is known of who made it, as lines of a report; empty outside debug mode.
std::string frame_origin(FrameBase& frame);

// A Coro was destroyed without ever being started. Reports; the caller destroys the frame. Defined with the loop (loop/reports.cpp).
CORUN_API void never_awaited(FrameBase& frame) noexcept;

// Destroys the frames of a chain that will not be resumed any more, the top one first.
CORUN_API void destroy_chain(Chain& chain) noexcept;

// "void (anonymous namespace)::fetch(int)" -> "fetch"; also undoes the form in which g++ names a coroutine's body.
CORUN_API std::string function_name(const std::source_location& where);

}  // namespace corun::detail
