// SPDX-License-Identifier: MIT
// Floor 1. AsyncGenerator<T>: co_yield values, co_await inside.
//
// What the loop owes a generator (finishing it when it was dropped half-way or is alive at close) is declared here as two
// functions that the loop's floor defines, because a destructor has nobody to return to.
#pragma once

#include <corun/base/errors.hpp>
#include <corun/base/intrusive_list.hpp>
#include <corun/coro/coro.hpp>
#include <optional>

namespace corun {

template <class T>
class AsyncGenerator;

namespace detail {

// The untyped part of a generator's promise, and its life.
struct GeneratorFrame : PromiseBase, ListLink {
  enum class State : std::uint8_t { created, suspended, running, finished };

  explicit GeneratorFrame(std::source_location where) noexcept : PromiseBase(where) { caller_bits = 1; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> h) const noexcept {
      static_cast<GeneratorFrame&>(h.promise()).pop(State::finished);
    }
    void await_resume() const noexcept {}
  };

  // At a co_yield: give the value to whoever called next(); thrown into when the generator is being closed.
  struct YieldAwaiter {
    explicit YieldAwaiter(GeneratorFrame& g) noexcept : generator(g) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept { generator.pop(State::suspended); }
    void await_resume() const {
      if (generator.closing) throw GeneratorExit();
    }
    GeneratorFrame& generator;
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void return_void() const noexcept {}

  // Makes the generator the top of the caller's chain.
  void push(FrameBase& from) noexcept {
    state = State::running;
    caller_bits = reinterpret_cast<std::uintptr_t>(&from) | 1;
    chain = from.chain;
    chain->top = this;
  }
  void pop(State next) noexcept {
    state = next;
    chain->top = caller();
    caller_bits = 1;
  }

  // The chain it ran in ends without it. The frames above are gone; the handle that owns it, or the loop, destroys it.
  void abandon() noexcept;

  std::exception_ptr error;
  void* loop = nullptr;   // set by generator_started: whose list it stands in
  void* scope = nullptr;  // likewise: whose work it is
  State state = State::created;
  bool closing = false;
  bool orphaned = false;   // no handle any more: the loop owns the frame
  bool abandoned = false;  // its chain is gone: it can only be destroyed
};

// First advance: the running loop lists it (loop/generators.cpp).
CORUN_API void generator_started(GeneratorFrame& frame);
// The last handle of a suspended generator is gone: the loop takes the frame and runs aclose() on it soon, in a task of its own;
// where no loop is left the frame is destroyed.
CORUN_API void generator_dropped(GeneratorFrame& frame) noexcept;
// Forgets it and destroys the frame.
CORUN_API void generator_destroy(GeneratorFrame& frame) noexcept;

// Runs the generator until it yields, ends, or throws.
class GeneratorStep {
 public:
  explicit GeneratorStep(GeneratorFrame& frame) noexcept : frame_(frame) {}
  bool await_ready() const noexcept { return frame_.state == GeneratorFrame::State::finished; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) const noexcept {
    frame_.push(h.promise());
  }
  void await_resume() const {
    if (frame_.error) std::rethrow_exception(std::exchange(frame_.error, nullptr));
  }

 protected:
  GeneratorFrame& frame_;
};

// co_await of it is one GeneratorStep.
struct GeneratorAdvance {
  GeneratorFrame& frame;
  GeneratorStep operator co_await() const { return GeneratorStep(frame); }
};

// Throws GeneratorExit at its co_yield and runs it to its end. Errors: RuntimeError "async generator ignored GeneratorExit" when it
// yields again; what its clean-up throws.
CORUN_API Coro<> generator_aclose(GeneratorFrame& frame);

// Throws what a wrong moment for next() or aclose() deserves; lists the generator at its first advance.
CORUN_API void generator_enter(GeneratorFrame& frame, const char* call);

template <class T>
struct GeneratorPromise final : GeneratorFrame {
  explicit GeneratorPromise(std::source_location where = std::source_location::current()) noexcept
      : GeneratorFrame(where) {}
  AsyncGenerator<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  YieldAwaiter yield_value(U&& next) {
    value.emplace(std::forward<U>(next));
    return YieldAwaiter(*this);
  }
  std::optional<T> value;
};

template <class T>
class NextAwaiter : public GeneratorStep {
 public:
  explicit NextAwaiter(GeneratorPromise<T>& frame) noexcept : GeneratorStep(frame) {}
  std::optional<T> await_resume() const {
    GeneratorStep::await_resume();
    return std::exchange(static_cast<GeneratorPromise<T>&>(frame_).value, std::nullopt);
  }
};

template <class T>
struct [[nodiscard]] GeneratorNext {
  GeneratorPromise<T>& frame;
  NextAwaiter<T> operator co_await() const {
    generator_enter(frame, "anext()");
    return NextAwaiter<T>(frame);
  }
};

}  // namespace detail

// An async generator: `while (auto v = co_await gen.next()) use(*v);`, and `co_await gen.aclose()` to end it early.
// Move-only; runs in the task that calls next(), in that task's context.
// Lifetime: dropped half-way, or alive when the loop closes, the loop runs aclose(): a GeneratorExit at the co_yield, after which the
// body may still await its clean-up. It is destroyed on the spot when it never began or has ended.
// Errors of next(): what the body throws; RuntimeError while another next() is under way. After the end: std::nullopt, always.
// Source: PEP 525, asyncio's asyncgen hooks.
template <class T>
class [[nodiscard]] AsyncGenerator {
 public:
  using value_type = T;
  using promise_type = detail::GeneratorPromise<T>;

  AsyncGenerator(AsyncGenerator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    if (this != &other) {
      drop();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~AsyncGenerator() { drop(); }

  // The next value, or nothing at the end.
  detail::GeneratorNext<T> next() { return detail::GeneratorNext<T>{*frame_}; }

  // Ends it. Nothing happens where it has ended or never began.
  Coro<> aclose() { return detail::generator_aclose(*frame_); }

 private:
  friend promise_type;
  explicit AsyncGenerator(promise_type* frame) noexcept : frame_(frame) {}
  void drop() noexcept {
    if (frame_) detail::generator_dropped(*std::exchange(frame_, nullptr));
  }

  promise_type* frame_;
};

namespace detail {
template <class T>
inline AsyncGenerator<T> GeneratorPromise<T>::get_return_object() noexcept {
  return AsyncGenerator<T>(this);
}
}  // namespace detail

}  // namespace corun
