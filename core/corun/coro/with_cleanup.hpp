// SPDX-License-Identifier: MIT
// Floor 1. with_cleanup: `finally` with awaits in it, which C++ has neither in a destructor nor in a catch block.
#pragma once

#include <corun/coro/coro.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace corun {

namespace detail {

template <class C, class... Args>
Coro<> run_cleanup(C& cleanup, Args&... args) {
  if constexpr (std::is_invocable_v<C&, Args&...>)
    return cleanup(args...);
  else
    return cleanup();
}

}  // namespace detail

// Awaits body(args...), then cleanup() however the body ended (cleanup(args...) where it takes them), then gives the body's result or
// throws what it threw. Both are callables that return a Coro; they and the arguments live in this frame.
// Errors: what cleanup throws replaces what the body threw. Cancellation: of the body as usual; a request that comes during the clean-up
// is thrown in the clean-up.
template <class Body, class Cleanup, class... Args>
auto with_cleanup(Body body, Cleanup cleanup, Args... args) -> std::invoke_result_t<Body&, Args&...> {
  using T = typename std::invoke_result_t<Body&, Args&...>::value_type;
  std::exception_ptr error;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await body(args...);
    } catch (...) {
      error = std::current_exception();
    }
    co_await detail::run_cleanup(cleanup, args...);
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<T> result;
    try {
      result.emplace(co_await body(args...));
    } catch (...) {
      error = std::current_exception();
    }
    co_await detail::run_cleanup(cleanup, args...);
    if (error) std::rethrow_exception(error);
    co_return std::move(*result);
  }
}

}  // namespace corun
