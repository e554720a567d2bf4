// SPDX-License-Identifier: MIT
// A node is waiting (linked in waiting_, the chain parked on it), then woken (linked in woken_, the task in the ready queue), cancelled
// (unlinked, the task ready) or orphaned (the list has gone; the task ready). From the wake-up on a cancel request meets a task that
// no waiter takes it from, so the task remembers it: leave() sees both and says no to the primitive, which hands its gift on.
//
// A task is made ready exactly once per park. What wakes a task of a closed loop, such as a lock given back by a frame that is destroyed
// with the loop, changes the node only: the loop's queue takes nothing any more.
#include <corun/sync/wait_list.hpp>
#include <corun/task/task_core.hpp>

namespace corun::detail {
namespace {

TaskCore& task_of(Chain& chain) noexcept { return static_cast<TaskCore&>(chain); }

void make_ready(Chain& chain) noexcept {
  if (!task_of(chain).loop->closed) wake(chain);
}

}  // namespace

void LoopBinding::bind(const LoopCore& loop) {
  if (!bound_) {
    loop_ = loop.mailbox;
    bound_ = true;
    return;
  }
  if (loop_.owner_before(loop.mailbox) || loop.mailbox.owner_before(loop_))
    throw RuntimeError(std::string(noun_) + " is bound to a different event loop");
}

bool WaitNode::cancel(const std::string& message) {
  if (hearing_ == Hearing::deaf) return false;
  unlink();
  state_ = State::cancelled;
  list_ = nullptr;
  remember_cancel_message(*chain_, message);
  make_ready(*chain_);
  return true;
}

const char* WaitNode::what() const noexcept { return list_ ? list_->binding().noun() : "what is gone"; }

WaitList::~WaitList() {
  std::string message;
  if (!empty()) message = std::string(binding_->noun()) + " was destroyed while a task waited for it";
  while (WaitNode* node = woken_.pop_front()) {
    node->state_ = WaitNode::State::orphaned;
    remember_cancel_message(*node->chain_, message);
  }
  while (WaitNode* node = waiting_.pop_front()) {
    node->state_ = WaitNode::State::orphaned;
    node->list_ = nullptr;
    remember_cancel_message(*node->chain_, message);
    make_ready(*node->chain_);
  }
}

void WaitList::enter(WaitNode& node, Chain& chain) {
  binding_->bind(*task_of(chain).loop);
  node.chain_ = &chain;
  if (chain.must_cancel && node.hearing_ == WaitNode::Hearing::normal) {  // asked in this very step
    node.state_ = WaitNode::State::cancelled;
    chain.park(nullptr);
    wake(chain);
    return;
  }
  node.state_ = WaitNode::State::waiting;
  node.list_ = this;
  insert(node);
  chain.park(&node);
}

// Nearly always at the end. One that waits again goes before all who came after it, where few stand, if any.
void WaitList::insert(WaitNode& node) noexcept {
  if (node.ticket_ == 0) {
    node.ticket_ = ++tickets_;
    return waiting_.push_back(node);
  }
  for (WaitNode& other : waiting_) {
    if (other.ticket_ < node.ticket_) continue;
    node.link_prev = other.link_prev;
    node.link_next = &other;
    other.link_prev->link_next = &node;
    other.link_prev = &node;
    return;
  }
  waiting_.push_back(node);
}

bool WaitList::leave(WaitNode& node) noexcept {
  node.unlink();
  if (node.state_ != WaitNode::State::woken) return false;
  return !node.chain_->must_cancel || node.hearing_ == WaitNode::Hearing::deaf;
}

bool WaitList::wake_first() {
  if (waiting_.empty()) return false;
  WaitNode& node = waiting_.front();
  task_of(*node.chain_).loop->check_thread();
  node.unlink();
  node.state_ = WaitNode::State::woken;
  node.list_ = nullptr;
  node.position_ = 0;
  woken_.push_back(node);
  make_ready(*node.chain_);
  return true;
}

void WaitList::wake_all() {
  for (int position = 0; !waiting_.empty(); ++position) {
    WaitNode& node = waiting_.front();
    wake_first();
    node.position_ = position;
  }
}

}  // namespace corun::detail
