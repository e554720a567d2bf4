// SPDX-License-Identifier: MIT
// Floor 1. Coro<T>, what an async function returns.
#pragma once

#include <corun/base/errors.hpp>
#include <corun/coro/awaitable.hpp>
#include <corun/coro/frame.hpp>
#include <corun/coro/result_slot.hpp>
#include <exception>
#include <utility>

namespace corun {

template <class T = void>
class Coro;

namespace detail {

// The bottom of every Coro's promise: how it ended, until the awaiter takes it.
struct CoroFrame : PromiseBase {
  using PromiseBase::PromiseBase;

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    CORUN_INLINE void await_suspend(std::coroutine_handle<P> h) const noexcept {
      FrameBase& frame = h.promise();
      frame.chain->top = reinterpret_cast<FrameBase*>(frame.caller_bits);  // never tagged: no generator
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }

  std::exception_ptr error;
};

template <class T>
struct CoroPromise final : CoroFrame {
  explicit CoroPromise(std::source_location where = std::source_location::current()) noexcept : CoroFrame(where) {}
  Coro<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_convertible_v<U&&, T> || std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
  ResultSlot<T> result;
};

template <>
struct CoroPromise<void> final : CoroFrame {
  explicit CoroPromise(std::source_location where = std::source_location::current()) noexcept : CoroFrame(where) {}
  Coro<void> get_return_object() noexcept;
  void return_void() noexcept {}
  [[no_unique_address]] ResultSlot<void> result;
};

template <class T>
using CoroHandle = std::coroutine_handle<CoroPromise<T>>;

// sleep(0) is asked for so often, and does so little, that it has no frame: the lowest bit of its Coro's handle says that awaiting it
// gives the others a pass. While it is awaited the bits above hold the chain.
inline bool is_pass(CoroHandle<void> frame) noexcept { return (reinterpret_cast<std::uintptr_t>(frame.address()) & 1) != 0; }
inline CoroHandle<void> pass_of(Chain* chain) noexcept {
  return CoroHandle<void>::from_address(reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(chain) | 1));
}
inline Chain& chain_of(CoroHandle<void> pass) noexcept {
  return *reinterpret_cast<Chain*>(reinterpret_cast<std::uintptr_t>(pass.address()) & ~std::uintptr_t{1});
}

// A frame that does the same, for who needs one. Defined with the task (task/sleep.cpp).
CORUN_API Coro<void> pass_with_frame();

// Pushes the frame, and takes the result when it is resumed after its end. The frame belongs to the chain from await_suspend on.
template <class T>
class CoroAwaiter {
 public:
  explicit CoroAwaiter(CoroHandle<T> child) noexcept : child_(child) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  CORUN_INLINE void await_suspend(std::coroutine_handle<P> h) noexcept {
    FrameBase& parent = h.promise();
    if constexpr (std::is_void_v<T>) {
      if (is_pass(child_)) {
        child_ = pass_of(parent.chain);
        parent.chain->park(nullptr);
        return wake(*parent.chain);
      }
    }
    FrameBase& child = child_.promise();
    child.caller_bits = reinterpret_cast<std::uintptr_t>(&parent);
    child.chain = parent.chain;
    parent.chain->top = &child;
  }
  CORUN_INLINE T await_resume() {
    if constexpr (std::is_void_v<T>)
      if (is_pass(child_)) return deliver_cancel(chain_of(child_));
    struct Destroy {
      CoroHandle<T> frame;
      ~Destroy() { frame.destroy(); }
    } destroy{child_};
    if (child_.promise().error) [[unlikely]]
      std::rethrow_exception(std::move(child_.promise().error));
    return child_.promise().result.take();
  }

 private:
  CoroHandle<T> child_;
};

// What a Coro does with a frame that it still has.
template <class T>
void destroy_unstarted(CoroHandle<T> frame) noexcept {
  if constexpr (std::is_void_v<T>)
    if (is_pass(frame)) return;
  frame.destroy();
}
template <class T>
[[gnu::noinline, gnu::cold]] void report_and_destroy(CoroHandle<T> frame) noexcept;

struct CoroAccess;

}  // namespace detail

// What an async function returns: a computation that has not begun. Lazy, move-only, awaited at most once.
// Awaiting it runs it in the awaiting task, in that task's context; create_task() makes a task of it.
// Errors: RuntimeError when awaited a second time or after a move.
// Lifetime: its parameters are copied into its frame; what they refer to must live until it ends.
// Destroyed without being started, it is reported as never awaited.
// Source: Python's coroutine objects.
template <class T>
class [[nodiscard("a coroutine does nothing until it is awaited or made a task")]] Coro {
 public:
  using value_type = T;
  using promise_type = detail::CoroPromise<T>;

  Coro(Coro&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Coro& operator=(Coro&& other) noexcept {
    if (this != &other) {
      discard();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Coro() { discard(); }

  auto operator co_await() {
    if (!frame_) [[unlikely]]
      throw RuntimeError("cannot reuse already awaited coroutine");
    return detail::CoroAwaiter<T>(std::exchange(frame_, nullptr));
  }

  // Whether it still waits to be started; false after a move or an await.
  bool valid() const noexcept { return static_cast<bool>(frame_); }

  // Destroys it unstarted and unreported, as Python's coroutine.close().
  void close() noexcept {
    if (frame_) detail::destroy_unstarted(std::exchange(frame_, nullptr));
  }

 private:
  friend promise_type;
  friend detail::CoroAccess;
  explicit Coro(detail::CoroHandle<T> frame) noexcept : frame_(frame) {}

  CORUN_INLINE void discard() noexcept {
    if (frame_) [[unlikely]]
      detail::report_and_destroy(frame_);
  }

  detail::CoroHandle<T> frame_;
};

namespace detail {

template <class T>
inline Coro<T> CoroPromise<T>::get_return_object() noexcept {
  return Coro<T>(CoroHandle<T>::from_promise(*this));
}
inline Coro<void> CoroPromise<void>::get_return_object() noexcept {
  return Coro<void>(CoroHandle<void>::from_promise(*this));
}

// For tasks: takes the frame out of a Coro.
struct CoroAccess {
  template <class T>
  static CoroHandle<T> take(Coro<T>& coro) {
    if (!coro.frame_) [[unlikely]]
      throw RuntimeError("cannot reuse already awaited coroutine");
    if constexpr (std::is_void_v<T>) {
      if (is_pass(coro.frame_)) [[unlikely]] {
        Coro<void> framed = pass_with_frame();
        coro.frame_ = std::exchange(framed.frame_, nullptr);
      }
    }
    return std::exchange(coro.frame_, nullptr);
  }
  // A Coro that gives the others a pass.
  static Coro<void> pass() noexcept { return Coro<void>(pass_of(nullptr)); }
};

template <class T>
void report_and_destroy(CoroHandle<T> frame) noexcept {
  if constexpr (std::is_void_v<T>) {
    if (is_pass(frame)) {
      Coro<void> named = pass_with_frame();  // reports in this one's place
      return;
    }
  }
  never_awaited(frame.promise());
  frame.destroy();
}

template <class X>
inline constexpr bool is_coro_v = false;
template <class T>
inline constexpr bool is_coro_v<Coro<T>> = true;

}  // namespace detail
}  // namespace corun
