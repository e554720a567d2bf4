// SPDX-License-Identifier: MIT
// Floor 2. Handle and TimerHandle: a callback that was scheduled and can be taken back.
#pragma once

#include <atomic>
#include <chrono>
#include <corun/coro/frame_pool.hpp>
#include <corun/loop/runnable.hpp>
#include <corun/loop/thread_state.hpp>
#include <corun/loop/timer_heap.hpp>
#include <functional>
#include <source_location>
#include <typeinfo>
#include <utility>

namespace corun {

class Context;

namespace detail {

// The cell behind a Context (task/context.cpp).
CORUN_API const Ref<ContextCell>& cell_of(const Context& context) noexcept;

// A scheduled callback with what it inherits: context and scope. The queue and each handle hold one count, atomic because
// call_soon_threadsafe gives a handle to another thread.
class CORUN_API Callback : public Runnable, public Pooled {
 public:
  // context null: a copy of the current one.
  explicit Callback(const Context* context);
  virtual ~Callback();
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

  void retain() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  virtual void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  // For another loop: the scope stays behind. Before it is posted, on the thread that made it.
  void drop_scope() noexcept;

  void run() override;
  void dispose() noexcept override { release(); }
  virtual const std::type_info& type() const noexcept = 0;

 protected:
  virtual void call() = 0;

  ContextSlot context_;
  ScopeCore* scope_;
  std::atomic<std::uint32_t> uses_{0};
  std::atomic<bool> cancelled_{false};
};

template <class F>
class CallbackOf final : public Callback {
 public:
  CallbackOf(F f, const Context* context) : Callback(context), f_(std::move(f)) {}

 private:
  void call() override { std::invoke(f_); }
  const std::type_info& type() const noexcept override { return typeid(F); }
  F f_;
};

// A callback with a time: in the heap, then in the ready queue.
class CORUN_API TimedCallback : public Callback, public TimerNode {
 public:
  TimedCallback(LoopCore& loop, std::chrono::steady_clock::time_point at, const Context* context);
  ~TimedCallback() override;
  void cancel() noexcept override;
  void expired() noexcept override;
  void dropped() noexcept override { release(); }

 private:
  LoopCore* loop_;
};

template <class F>
class TimedCallbackOf final : public TimedCallback {
 public:
  TimedCallbackOf(LoopCore& loop, std::chrono::steady_clock::time_point at, F f, const Context* context)
      : TimedCallback(loop, at, context), f_(std::move(f)) {}

 private:
  void call() override { std::invoke(f_); }
  const std::type_info& type() const noexcept override { return typeid(F); }
  F f_;
};

}  // namespace detail

// A scheduled callback. Dropping the handle does not take the callback back; cancel() does.
// Threads: the loop's thread; what call_soon_threadsafe gave may be used by the calling thread.
class Handle {
 public:
  void cancel() { core_->cancel(); }
  bool cancelled() const { return core_->cancelled(); }

  explicit Handle(detail::Ref<detail::Callback> core) : core_(std::move(core)) {}

 protected:
  detail::Ref<detail::Callback> core_;
};

// A Handle with the time at which it is due.
class TimerHandle : public Handle {
 public:
  std::chrono::steady_clock::time_point when() const {
    return static_cast<const detail::TimedCallback&>(*core_).when;
  }

  explicit TimerHandle(detail::Ref<detail::TimedCallback> core) : Handle(std::move(core)) {}
};

}  // namespace corun
