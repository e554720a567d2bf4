// SPDX-License-Identifier: MIT
#include <algorithm>
#include <corun/task/gather.hpp>

namespace corun::detail {

void GatherCore::add(FutureCore& child) {
  if (child.loop != loop) throw ValueError("the future belongs to a different loop than the one specified");
  bool known = std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) { return node->child.get() == &child; });
  if (!known) nodes_.push_back(std::make_unique<Node>(*this, child));
}

void GatherCore::begin() {
  remaining_ = nodes_.size();
  if (nodes_.empty()) return finish(State::finished);
  for (auto& node : nodes_) {
    retain();
    if (node->child->done())
      node->done(*node->child);
    else
      node->child->waiters.push_back(*node);
  }
}

void GatherCore::Node::done(FutureCore& future) noexcept {
  GatherCore* all = gather;
  all->child_done(future);
  all->release();
}

void GatherCore::child_done(FutureCore& child_future) noexcept {
  --remaining_;
  bool failed = static_cast<bool>(child_future.error);
  if (failed) child_future.exception_unread = false;  // retrieved, as asyncio's gather does
  if (done()) return;
  if (failed && !keep_exceptions_) {
    error = child_future.error;
    return finish(State::finished);
  }
  if (remaining_ > 0) return;
  if (cancel_requested_)
    error = child_future.state == State::cancelled ? child_future.error : std::make_exception_ptr(CancelledError(cancel_message_));
  finish(State::finished);
}

bool GatherCore::cancel(const std::string& message) {
  if (done()) return false;
  bool taken = false;
  for (auto& node : nodes_) taken |= node->child->cancel(message);
  if (taken) {
    cancel_requested_ = true;
    cancel_message_ = message;
  }
  return taken;
}

}  // namespace corun::detail
