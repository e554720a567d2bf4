// SPDX-License-Identifier: MIT
// Floor 3. timeout(), timeout_at(), wait_for(): limits in time.
#pragma once

#include <chrono>
#include <corun/loop/loop.hpp>
#include <corun/task/gather.hpp>
#include <corun/task/task.hpp>
#include <optional>
#include <utility>

namespace corun {

// The scope that a body given to timeout() sees. Source: asyncio.Timeout.
class CORUN_API Timeout {
 public:
  // When it fires, on the loop's clock; none: never.
  std::optional<time_point> when() const noexcept { return when_; }
  // Whether its time has come.
  bool expired() const noexcept { return state_ == State::expiring || state_ == State::expired; }
  // Another time, or none. A time that is past fires at the next await. Errors: RuntimeError unless it is active.
  void reschedule(std::optional<time_point> when);

  Timeout(const Timeout&) = delete;
  Timeout& operator=(const Timeout&) = delete;

  // Library-internal.
  explicit Timeout(std::optional<time_point> when) : when_(when) {}
  ~Timeout();
  void enter();                            // Errors: RuntimeError where it has been entered, or outside a task
  void exit(std::exception_ptr& error);  // what the body threw becomes a TimeoutError where this scope caused it

 private:
  enum class State { created, active, expiring, expired, finished };
  void arm();
  void fire();

  State state_ = State::created;
  std::optional<time_point> when_;
  std::optional<AnyTask> task_;
  std::optional<Handle> timer_;
  int cancelling_before_ = 0;
};

namespace detail {

template <class Body, class... Args>
using body_value_t = typename std::invoke_result_t<Body&, Args...>::value_type;

struct Deadline {
  std::optional<nanoseconds> after = {};
  std::optional<time_point> at = {};
  std::optional<time_point> resolve() const {
    if (after) return get_running_loop().time() + *after;
    return at;
  }
};

template <class Body, class... Args>
auto run_timeout(Deadline deadline, Body body, Args... args) -> Coro<body_value_t<Body, Timeout&, Args...>> {
  using T = body_value_t<Body, Timeout&, Args...>;
  Timeout scope(deadline.resolve());
  scope.enter();
  std::exception_ptr error;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await body(scope, std::move(args)...);
    } catch (...) {
      error = std::current_exception();
    }
    scope.exit(error);
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<T> result;
    try {
      result.emplace(co_await body(scope, std::move(args)...));
    } catch (...) {
      error = std::current_exception();
    }
    scope.exit(error);
    if (error) std::rethrow_exception(error);
    co_return std::move(*result);
  }
}

// What wait_for does where the time is over before it begins: cancels, waits for the end, and takes a result that came all the same.
CORUN_API Coro<> cancel_and_wait(Ref<FutureCore> future);

template <class A>
Coro<await_result_t<A>> wait_for_until(A awaitable, std::optional<nanoseconds> limit) {
  if (limit && *limit <= nanoseconds::zero()) {
    auto future = ensure_future(std::move(awaitable), std::source_location::current());
    if (!future.done()) {
      co_await cancel_and_wait(Ref<FutureCore>(&future.core()));
      if (future.cancelled()) throw TimeoutError();
    }
    if constexpr (is_task_v<decltype(future)>)
      co_return take_result(future);
    else
      co_return future.result();
  }
  Timeout scope(limit ? std::optional(get_running_loop().time() + *limit) : std::nullopt);
  scope.enter();
  std::exception_ptr error;
  using T = await_result_t<A>;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await std::move(awaitable);
    } catch (...) {
      error = std::current_exception();
    }
    scope.exit(error);
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<T> result;
    try {
      result.emplace(co_await std::move(awaitable));
    } catch (...) {
      error = std::current_exception();
    }
    scope.exit(error);
    if (error) std::rethrow_exception(error);
    co_return std::move(*result);
  }
}

}  // namespace detail

// Awaits body(Timeout&, args...) for at most `limit`: then the task is cancelled, and the CancelledError that comes out of the body becomes
// a TimeoutError. std::nullopt: no limit; zero or less: at the body's first await. What must be copied into the body goes as trailing
// arguments; the body and they live in this frame.
// Errors: TimeoutError (with the CancelledError nested in it); what the body throws. Source: asyncio.timeout.
template <class Rep, class Period, class Body, class... Args>
auto timeout(std::chrono::duration<Rep, Period> limit, Body body, Args... args) {
  return detail::run_timeout(detail::Deadline{.after = detail::to_nanoseconds(limit)}, std::move(body), std::move(args)...);
}
template <class Rep, class Period, class Body, class... Args>
auto timeout(std::optional<std::chrono::duration<Rep, Period>> limit, Body body, Args... args) {
  detail::Deadline deadline;
  if (limit) deadline.after = detail::to_nanoseconds(*limit);
  return detail::run_timeout(deadline, std::move(body), std::move(args)...);
}
template <class Body, class... Args>
auto timeout(std::nullopt_t, Body body, Args... args) {
  return detail::run_timeout(detail::Deadline{}, std::move(body), std::move(args)...);
}

// The same with a time on the loop's clock.
template <class Body, class... Args>
auto timeout_at(std::optional<time_point> when, Body body, Args... args) {
  return detail::run_timeout(detail::Deadline{.at = when}, std::move(body), std::move(args)...);
}

// Awaits for at most `limit`, in the caller's own task. A task given is cancelled at the end of the time and waited for; what it returns
// all the same is returned. limit <= 0: a coroutine does not begin. Errors: TimeoutError. Source: asyncio.wait_for.
template <class A, class Rep, class Period>
  requires Awaitable<A>
auto wait_for(A&& awaitable, std::chrono::duration<Rep, Period> limit) -> Coro<await_result_t<A>> {
  return detail::wait_for_until<std::remove_cvref_t<A>>(std::forward<A>(awaitable), detail::to_nanoseconds(limit));
}
template <class A>
  requires Awaitable<A>
auto wait_for(A&& awaitable, std::nullopt_t) -> Coro<await_result_t<A>> {
  return detail::wait_for_until<std::remove_cvref_t<A>>(std::forward<A>(awaitable), std::nullopt);
}

}  // namespace corun
