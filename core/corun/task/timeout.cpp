// SPDX-License-Identifier: MIT
// The bookkeeping of asyncio's timeouts.py: the scope asks its task to cancel, and takes that request back at its exit. Only where no
// other request is left does the CancelledError become a TimeoutError, so that a cancellation from outside is never mistaken for one.
#include <corun/task/timeout.hpp>
#include <corun/task/wait.hpp>

namespace corun {

Timeout::~Timeout() {
  if (timer_) timer_->cancel();
}

void Timeout::enter() {
  if (state_ != State::created) throw RuntimeError("Timeout has already been entered");
  if (!detail::thread_state.task) throw RuntimeError("Timeout should be used inside a task");
  task_ = current_task();
  cancelling_before_ = task_->cancelling();
  state_ = State::active;
  arm();
}

void Timeout::reschedule(std::optional<time_point> when) {
  if (state_ == State::created) throw RuntimeError("Timeout has not been entered");
  if (state_ != State::active) {
    const char* name = state_ == State::expiring ? "expiring" : state_ == State::expired ? "expired" : "finished";
    throw RuntimeError(std::string("Cannot change state of ") + name + " Timeout");
  }
  when_ = when;
  arm();
}

void Timeout::arm() {
  if (timer_) timer_->cancel();
  timer_.reset();
  if (when_) timer_ = get_running_loop().call_at(*when_, [this] { fire(); });
}

void Timeout::fire() {
  task_->cancel();
  state_ = State::expiring;
  timer_.reset();
}

void Timeout::exit(std::exception_ptr& error) {
  if (timer_) timer_->cancel();
  timer_.reset();
  if (state_ == State::active) {
    state_ = State::finished;
    return;
  }
  state_ = State::expired;
  if (task_->uncancel() > cancelling_before_ || !error) return;
  try {
    std::rethrow_exception(error);
  } catch (const CancelledError&) {
    try {
      std::throw_with_nested(TimeoutError());
    } catch (...) {
      error = std::current_exception();
    }
  } catch (...) {
  }
}

namespace detail {

Coro<> cancel_and_wait(Ref<FutureCore> future) {
  future->cancel({});
  std::vector<FutureCore*> only(1, future.get());
  co_await wait_futures(std::move(only), std::nullopt, ReturnWhen::all_completed);
}

}  // namespace detail
}  // namespace corun
