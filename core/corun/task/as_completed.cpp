// SPDX-License-Identifier: MIT
#include <corun/task/as_completed.hpp>
#include <corun/task/wait.hpp>

namespace corun::detail {

CompletionOrder::CompletionOrder(const std::vector<FutureCore*>& futures) : nodes_(std::make_unique<Node[]>(futures.size())) {
  order_.reserve(futures.size());
  for (std::size_t i = 0; i < futures.size(); ++i) {
    futures_.emplace_back(futures[i]);
    nodes_[i].order = this;
    nodes_[i].index = i;
    if (futures[i]->done())
      order_.push_back(i);
    else
      futures[i]->waiters.push_back(nodes_[i]);
  }
}

CompletionOrder::~CompletionOrder() {
  for (std::size_t i = 0; i < futures_.size(); ++i) nodes_[i].unlink();
}

void CompletionOrder::ended(std::size_t index) noexcept {
  order_.push_back(index);
  if (more_ && !more_->done()) more_->set_result();
}

Coro<std::size_t> CompletionOrder::next(std::optional<time_point> deadline) {
  while (given_ == order_.size()) {
    more_.emplace();
    waiting_ = thread_state.task;
    std::optional<nanoseconds> left;
    if (deadline) left = *deadline - running_loop().now();
    if (left && *left <= nanoseconds::zero()) throw TimeoutError();
    std::vector<FutureCore*> only(1, &more_->core());
    co_await wait_futures(std::move(only), left, ReturnWhen::all_completed);
  }
  waiting_ = nullptr;
  co_return order_[given_++];
}

}  // namespace corun::detail
