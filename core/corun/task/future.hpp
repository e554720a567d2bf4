// SPDX-License-Identifier: MIT
// Floor 3. Future<T>: a result that somebody will set.
#pragma once

#include <corun/task/future_core.hpp>
#include <functional>

namespace corun {

// A shared handle on a result to come; default-constructed on the running loop. Awaiting it gives the result or throws the exception;
// cancelling who awaits it cancels it. Many may await; a T that cannot be copied goes to the first reader.
// Threads: its loop's thread only; other threads go through Loop::call_soon_threadsafe.
// Errors: result(), exception(): CancelledError, InvalidStateError while pending; set_*(): InvalidStateError when done.
// Source: asyncio.Future.
template <class T = void>
class Future {
 public:
  using value_type = T;

  explicit Future(std::source_location where = std::source_location::current())
      : state_(new detail::FutureState<T>(detail::running_loop(), where)) {}

  template <class U = T>
    requires(!std::is_void_v<T>)
  void set_result(U&& value) const {
    state_->check_pending();
    state_->slot.emplace(std::forward<U>(value));
    state_->finish(detail::FutureCore::State::finished);
  }
  void set_result() const
    requires std::is_void_v<T>
  {
    state_->check_pending();
    state_->slot.emplace();
    state_->finish(detail::FutureCore::State::finished);
  }
  void set_exception(std::exception_ptr exception) const { state_->set_exception(std::move(exception)); }

  bool cancel(std::string message = {}) const { return state_->cancel(message); }
  bool done() const noexcept { return state_->done(); }
  bool cancelled() const noexcept { return state_->state == detail::FutureCore::State::cancelled; }
  T result() const {
    state_->check_result();
    return state_->slot.read();
  }
  std::exception_ptr exception() const { return state_->exception(); }

  // Called in the loop once it is done, in a copy of the current context unless one is given. At once in the next pass where it is done already.
  CallbackId add_done_callback(std::function<void(const Future&)> callback, const Context* context = nullptr) const {
    return state_->add_done_callback(
        [callback = std::move(callback)](detail::FutureCore& done) {
          callback(Future(detail::Ref<detail::FutureState<T>>(static_cast<detail::FutureState<T>*>(&done))));
        },
        context);
  }
  bool remove_done_callback(CallbackId id) const { return state_->remove_done_callback(id); }

  auto operator co_await() const { return detail::FutureAwaiter<detail::FutureState<T>, T>(*state_); }

  friend bool operator==(const Future& a, const Future& b) noexcept { return a.state_ == b.state_; }

  // Library-internal.
  explicit Future(detail::Ref<detail::FutureState<T>> state) noexcept : state_(std::move(state)) {}
  detail::FutureState<T>& core() const noexcept { return *state_; }

 private:
  detail::Ref<detail::FutureState<T>> state_;
};

}  // namespace corun
