// SPDX-License-Identifier: MIT
#include <corun/task/wait.hpp>

namespace corun::detail {

WaitAwaiter::WaitAwaiter(const std::vector<FutureCore*>& futures, std::optional<time_point> deadline, ReturnWhen how)
    : futures_(futures), remaining_(0), deadline_(deadline), when_(how) {
  bool enough = false;
  for (FutureCore* future : futures_) {
    if (!future->done()) {
      ++remaining_;
      continue;
    }
    bool failed = future->state == FutureCore::State::finished && future->error;
    enough |= when_ == ReturnWhen::first_completed || (when_ == ReturnWhen::first_exception && failed);
  }
  if (enough) remaining_ = 0;
}

WaitAwaiter::~WaitAwaiter() {
  if (nodes_)
    for (std::size_t i = 0; i < futures_.size(); ++i) nodes_[i].unlink();
  if (armed()) static_cast<TaskCore*>(chain_)->loop->remove_timer(*this);
}

TaskCore* WaitAwaiter::Node::waiting_task() const noexcept { return static_cast<TaskCore*>(owner->chain_); }

void WaitAwaiter::park(Chain& chain) {
  chain_ = &chain;
  auto& task = static_cast<TaskCore&>(chain);
  if (chain.must_cancel) {
    chain.park(nullptr);
    wake(chain);
    return;
  }
  nodes_ = std::make_unique<Node[]>(futures_.size());
  for (std::size_t i = 0; i < futures_.size(); ++i) {
    nodes_[i].owner = this;
    if (!futures_[i]->done()) futures_[i]->waiters.push_back(nodes_[i]);
  }
  if (deadline_) {
    when = *deadline_;
    task.loop->add_timer(*this);
  }
  parked_ = true;
  chain.park(this);
}

void WaitAwaiter::one_done(FutureCore& future) noexcept {
  --remaining_;
  bool failed = future.state == FutureCore::State::finished && future.error;
  if (remaining_ == 0 || when_ == ReturnWhen::first_completed || (when_ == ReturnWhen::first_exception && failed)) finish();
}

void WaitAwaiter::finish() noexcept {
  if (!parked_) return;
  parked_ = false;
  wake(*chain_);
}

bool WaitAwaiter::cancel(const std::string& message) {
  auto& task = static_cast<TaskCore&>(*chain_);
  task.set_cancel_message(message);
  cancelled_ = true;
  finish();
  return true;
}

Coro<> wait_futures(std::vector<FutureCore*> futures, std::optional<nanoseconds> timeout, ReturnWhen when) {
  std::vector<Ref<FutureCore>> hold;
  for (FutureCore* future : futures) hold.emplace_back(future);
  std::optional<time_point> deadline;
  if (timeout) deadline = running_loop().now() + to_nanoseconds(*timeout);
  co_await WaitFor{futures, deadline, when};
}

}  // namespace corun::detail
