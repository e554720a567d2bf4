// SPDX-License-Identifier: MIT
// Floor 4. run_in_executor and to_thread: functions that block, off the loop.
#pragma once

#include <corun/loop/loop.hpp>
#include <corun/task/context.hpp>
#include <corun/task/future.hpp>
#include <corun/task/task_scope.hpp>
#include <corun/thread/thread_pool_executor.hpp>
#include <functional>
#include <memory>
#include <stop_token>
#include <tuple>

namespace corun {

namespace detail {

// The pool to use: the given one, or the loop's default, made on first use. Errors: RuntimeError after shutdown_default_executor().
CORUN_API std::shared_ptr<ThreadPoolExecutor> executor_or_default(LoopCore& loop, std::shared_ptr<ThreadPoolExecutor> given);

// A function's way to a worker and its outcome's way back. The future is touched on the loop's thread only, which lists the item until it
// is back, and takes the future from it where the loop is closed first.
class CORUN_API CallItem : public WorkItem, public Outstanding, public std::enable_shared_from_this<CallItem> {
 public:
  CallItem(LoopCore& loop, FutureCore& future);
  ~CallItem() override;

  void run() noexcept override;
  void finished(bool ran) noexcept override;
  void loop_closes() noexcept override;

  // Watches the future's end, to drop the work where it has not begun.
  void link();

 protected:
  virtual void call() = 0;                     // in the worker; may throw
  virtual void deliver(FutureCore& future) = 0;  // on the loop, after a call() that did not throw

 private:
  class Arrival;
  class Watch;
  void arrive(bool ran);

  std::shared_ptr<Mailbox> mailbox_;
  LoopCore* loop_;
  FutureCore* future_;  // counted from link() on, until it is back or the loop closes; then null
  std::shared_ptr<TaskScope> scope_;
  std::exception_ptr error_;
};

template <class F, class R>
class CallItemOf final : public CallItem {
 public:
  CallItemOf(LoopCore& loop, FutureState<R>& future, F f) : CallItem(loop, future), f_(std::move(f)) {}

 private:
  void call() override {
    if constexpr (std::is_void_v<R>) {
      std::move(*f_)();
      result_.emplace();
    } else {
      result_.emplace(std::move(*f_)());
    }
    f_.reset();
  }
  void deliver(FutureCore& future) override {
    auto& state = static_cast<FutureState<R>&>(future);
    state.slot.move_from(result_);
    state.finish(FutureCore::State::finished);
  }
  std::optional<F> f_;
  ResultSlot<R> result_;
};

template <class F>
auto submit_call(LoopCore& loop, std::shared_ptr<ThreadPoolExecutor> pool, F f)
    -> Future<std::invoke_result_t<F&&>> {
  using R = std::invoke_result_t<F&&>;
  pool = executor_or_default(loop, std::move(pool));
  Future<R> future;
  auto item = std::make_shared<CallItemOf<F, R>>(loop, future.core(), std::move(f));
  pool->submit(item);
  item->link();
  return future;
}

// Calls f with its arguments in a context that may be entered in a worker.
template <class F, class... A>
decltype(auto) call_in(Context& context, F& f, std::tuple<A...>& args) {
  return context.run([&]() -> decltype(auto) { return std::apply(std::move(f), std::move(args)); });
}

}  // namespace detail

// Submits f at the call; the Future gives what it returns or throws what it throws. null: the loop's default executor.
// The context does not travel (to_thread's does). Cancelling the future drops f where it has not begun; a running one is not stopped.
// Errors: RuntimeError "Executor shutdown has been called". Source: asyncio's loop.run_in_executor.
template <class F>
auto run_in_executor(std::shared_ptr<ThreadPoolExecutor> executor, F f) {
  return detail::submit_call(detail::running_loop(), std::move(executor), std::move(f));
}

// Calls f(args...) in a thread of the default executor, in a copy of the current context; lazy, as asyncio's: nothing happens before the
// await. Where f takes a std::stop_token first, it gets one that is asked to stop when the awaiting task is cancelled.
// Cancellation: the await ends at once; a function that has begun goes on, and the executor's drain waits for it.
template <class F, class... A>
auto to_thread(F f, A... args) {
  if constexpr (std::is_invocable_v<F&&, std::stop_token, A&&...>) {
    using R = std::invoke_result_t<F&&, std::stop_token, A&&...>;
    return [](F function, std::tuple<A...> arguments) -> Coro<R> {
      std::stop_source stop;
      struct StopOnExit {
        std::stop_source& source;
        ~StopOnExit() { source.request_stop(); }
      } stop_on_exit{stop};
      auto all = std::tuple_cat(std::make_tuple(stop.get_token()), std::move(arguments));
      Context context = copy_context();
      auto call = [context, function = std::move(function), all = std::move(all)]() mutable -> R {
        return detail::call_in(context, function, all);
      };
      Future<R> future = detail::submit_call(detail::running_loop(), nullptr, std::move(call));
      co_return co_await future;
    }(std::move(f), std::tuple<A...>(std::move(args)...));
  } else {
    using R = std::invoke_result_t<F&&, A&&...>;
    return [](F function, std::tuple<A...> arguments) -> Coro<R> {
      Context context = copy_context();
      auto call = [context, function = std::move(function), arguments = std::move(arguments)]() mutable -> R {
        return detail::call_in(context, function, arguments);
      };
      Future<R> future = detail::submit_call(detail::running_loop(), nullptr, std::move(call));
      co_return co_await future;
    }(std::move(f), std::tuple<A...>(std::move(args)...));
  }
}

}  // namespace corun
