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

// Pushes the frame, and takes the result when it is resumed after its end. The frame belongs to the chain from await_suspend on.
template <class T>
class CoroAwaiter {
 public:
  explicit CoroAwaiter(CoroHandle<T> child) noexcept : child_(child) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  CORUN_INLINE void await_suspend(std::coroutine_handle<P> h) noexcept {
    FrameBase& parent = h.promise();
    FrameBase& child = child_.promise();
    child.caller_bits = reinterpret_cast<std::uintptr_t>(&parent);
    child.chain = parent.chain;
    parent.chain->top = &child;
  }
  CORUN_INLINE T await_resume() {
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
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }

 private:
  friend promise_type;
  friend detail::CoroAccess;
  explicit Coro(detail::CoroHandle<T> frame) noexcept : frame_(frame) {}

  void discard() noexcept {
    if (!frame_) [[likely]]
      return;
    detail::never_awaited(frame_.promise());
    frame_.destroy();
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

// For tasks: takes the frame out of a Coro, and makes a Coro of one that was refused.
struct CoroAccess {
  template <class T>
  static CoroHandle<T> take(Coro<T>& coro) {
    if (!coro.frame_) throw RuntimeError("cannot reuse already awaited coroutine");
    return std::exchange(coro.frame_, nullptr);
  }
};

template <class X>
inline constexpr bool is_coro_v = false;
template <class T>
inline constexpr bool is_coro_v<Coro<T>> = true;

}  // namespace detail
}  // namespace corun
