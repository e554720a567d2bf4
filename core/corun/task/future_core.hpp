// SPDX-License-Identifier: MIT
// Floor 3. What a Task and a Future have in common: a state, an error, who waits for the end. Counted without atomics: a loop's thread only.
#pragma once

#include <corun/base/errors.hpp>
#include <corun/base/intrusive_list.hpp>
#include <corun/coro/frame.hpp>
#include <corun/coro/frame_pool.hpp>
#include <corun/coro/result_slot.hpp>
#include <corun/loop/any_task.hpp>
#include <corun/loop/loop_core.hpp>
#include <exception>
#include <functional>
#include <source_location>
#include <string>

namespace corun::detail {

class FutureCore;
struct TaskCore;

// Somebody who waits for the end of a future, linked into it.
class DoneNode : public ListLink {
 public:
  // The future is done; the node is out of its list. Must not throw and must not run user code: make something ready.
  virtual void done(FutureCore& future) noexcept = 0;
  // The task that waits here, for call graphs; null where it is a callback.
  virtual TaskCore* waiting_task() const noexcept { return nullptr; }
  // Where the wait stands for something in between, such as a gather: a future whose waiters are the real ones.
  virtual FutureCore* waiting_future() const noexcept { return nullptr; }
  virtual CallbackId callback_id() const noexcept { return 0; }
  // The future dies with this still in it.
  virtual void dropped() noexcept {}

 protected:
  ~DoneNode() = default;
};

class CORUN_API FutureCore : public Runnable, public Pooled {
 public:
  enum class State : std::uint8_t { pending, finished, cancelled };

  FutureCore(LoopCore& owner, std::source_location where) noexcept : created(where), loop(&owner) { owner.retain(); }
  virtual ~FutureCore() {
    if (!waiters.empty()) [[unlikely]]
      drop_waiters();
    loop->release();
  }
  FutureCore(const FutureCore&) = delete;
  FutureCore& operator=(const FutureCore&) = delete;

  CORUN_INLINE void retain() noexcept { ++uses; }
  CORUN_INLINE void release() noexcept {
    if (--uses == 0) last_release();
  }

  bool done() const noexcept { return state != State::pending; }

  // Asks for the end. A future is cancelled at once; a task is asked. False: it was done.
  virtual bool cancel(const std::string& message);
  // "Future" or the task's name.
  virtual std::string describe() const;
  virtual TaskCore* as_task() noexcept { return nullptr; }

  // What stands in the way of reading the result: throws it. Marks an exception as retrieved.
  void check_result() {
    if (state == State::finished && !error) [[likely]]
      return;
    throw_unreadable();
  }
  [[noreturn]] void throw_unreadable();
  // As asyncio's exception(): null where there is a result. Errors: CancelledError, InvalidStateError.
  std::exception_ptr exception();

  void set_exception(std::exception_ptr exception);  // Errors: InvalidStateError
  void check_pending() const;

  // Wakes who waits. The state is set by the caller.
  void finish(State how) noexcept;

  CallbackId add_done_callback(std::function<void(FutureCore&)> callback, const Context* context);
  bool remove_done_callback(CallbackId id);

  // No one holds it any more: reports an exception that nobody read, then deletes it, unless the report's receiver kept it.
  CORUN_INLINE void last_release() noexcept {
    if (exception_unread) [[unlikely]]
      return report_unread();
    delete this;
  }
  void report_unread() noexcept;
  void drop_waiters() noexcept;

  void run() override { CORUN_ASSERT(!"a future is not stepped"); }
  void dispose() noexcept override {}

  std::uint32_t uses = 0;
  State state = State::pending;
  bool exception_unread = false;  // nobody has looked at `error` yet
  std::source_location created;
  LoopCore* loop;
  std::exception_ptr error;  // of a failed one, and the CancelledError of a cancelled one
  IntrusiveList<DoneNode, ListLink> waiters;
};

template <class T>
class FutureState final : public FutureCore {
 public:
  using FutureCore::FutureCore;
  ResultSlot<T> slot;
};

// Parks the awaiting task until a future is done.
class CORUN_API DoneAwaiterBase : public Waiter, public DoneNode {
 public:
  explicit DoneAwaiterBase(FutureCore& future) noexcept : future_(&future) {}
  DoneAwaiterBase(const DoneAwaiterBase&) = delete;
  DoneAwaiterBase& operator=(const DoneAwaiterBase&) = delete;
  ~DoneAwaiterBase() { unlink(); }

  bool await_ready() const noexcept { return future_->done(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    wait_on(*frame.chain);
  }

  bool cancel(const std::string& message) override { return future_->cancel(message); }
  const char* what() const noexcept override { return future_->as_task() ? "a task" : "a future"; }
  void done(FutureCore&) noexcept override { wake(*chain_); }
  TaskCore* waiting_task() const noexcept override;
  FutureCore& future() const noexcept { return *future_; }

 protected:
  void wait_on(Chain& chain);
  // Throws what the awaiting task has been asked meanwhile, else what the future holds.
  void resumed() {
    if (chain_) deliver_cancel(*chain_);
    future_->check_result();
  }

  Ref<FutureCore> future_;
  Chain* chain_ = nullptr;  // set while parked, and after
};

// co_await of a Future<T> or a Task<T>. S: its state class.
template <class S, class T>
class FutureAwaiter final : public DoneAwaiterBase {
 public:
  explicit FutureAwaiter(S& state) noexcept : DoneAwaiterBase(state) {}
  T await_resume() {
    resumed();
    return static_cast<S&>(*future_).slot.read();
  }
};

// co_await of an AnyTask: the end, and what it threw.
class DoneAwaiter final : public DoneAwaiterBase {
 public:
  using DoneAwaiterBase::DoneAwaiterBase;
  void await_resume() { resumed(); }
};

}  // namespace corun::detail
