// SPDX-License-Identifier: MIT
// Floor 3. Outcome<T>: how something ended, as a value.
#pragma once

#include <corun/coro/result_slot.hpp>
#include <corun/task/future_core.hpp>
#include <exception>
#include <optional>

namespace corun {

// What gather_outcomes() gives for each awaitable: a value, or what it threw.
template <class T>
class Outcome {
 public:
  explicit Outcome(detail::or_monostate<T> value) : value_(std::move(value)) {}
  Outcome(std::exception_ptr exception, bool cancelled) : exception_(std::move(exception)), cancelled_(cancelled) {}

  // The value; throws what it holds instead of one.
  T value() const {
    if (exception_) std::rethrow_exception(exception_);
    if constexpr (!std::is_void_v<T>) return *value_;
  }
  // The same, moved out.
  T take() {
    if (exception_) std::rethrow_exception(exception_);
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }
  std::exception_ptr exception() const { return exception_; }  // null where there is a value
  bool cancelled() const noexcept { return cancelled_; }

 private:
  std::optional<detail::or_monostate<T>> value_;
  std::exception_ptr exception_;
  bool cancelled_ = false;
};

namespace detail {

// The outcome of a future that is done; its exception counts as retrieved.
template <class S, class T>
Outcome<T> outcome_of(S& state) {
  if (state.error) {
    state.exception_unread = false;
    return Outcome<T>(state.error, state.state == FutureCore::State::cancelled);
  }
  if constexpr (std::is_void_v<T>)
    return Outcome<T>(std::monostate());
  else
    return Outcome<T>(state.slot.read());
}

}  // namespace detail
}  // namespace corun
