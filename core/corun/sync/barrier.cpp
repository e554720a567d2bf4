// SPDX-License-Identifier: MIT
// asyncio builds this on a Condition because its coroutines may lose the loop at each await; here the state changes within one step, so
// two wait lists do. As there, a task learns how its round went from the state at the moment it runs: an abort reaches even those who
// were released and have not run yet.
#include <corun/base/errors.hpp>
#include <corun/sync/barrier.hpp>

namespace corun {

// A task that counts as being inside, whatever way it leaves.
class Barrier::Inside {
 public:
  explicit Inside(Barrier& barrier) noexcept : barrier_(barrier) {
    ++barrier_.inside_;
    barrier_.fellows_.receive(visit_);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (visit_.host_is_there()) barrier_.leave();
  }

 private:
  Barrier& barrier_;
  detail::Visit visit_;
};

Barrier::Barrier(int parties) : parties_(parties) {
  if (parties < 1) throw ValueError("parties must be > 0");
}

Coro<int> Barrier::wait() {
  detail::WaitNode turn;
  while (state_ == State::draining || state_ == State::resetting)
    if (!co_await outside_.park(turn)) turn.throw_cancelled();
  if (state_ == State::broken) throw BrokenBarrierError("Barrier aborted");

  Inside inside(*this);
  if (inside_ == parties_) {
    state_ = State::draining;
    fellows_.wake_all();
    co_return parties_ - 1;
  }
  detail::WaitNode node;
  if (!co_await fellows_.park(node)) node.throw_cancelled();
  if (state_ != State::draining) throw BrokenBarrierError("Abort or reset of barrier");
  co_return node.position();
}

void Barrier::leave() {
  if (--inside_ > 0) return;
  if (state_ != State::broken) state_ = State::filling;
  outside_.wake_all();
}

detail::DoneAlready Barrier::reset() {
  state_ = inside_ > 0 ? State::resetting : State::filling;
  fellows_.wake_all();
  return {};
}

detail::DoneAlready Barrier::abort() {
  state_ = State::broken;
  fellows_.wake_all();
  outside_.wake_all();
  return {};
}

}  // namespace corun
