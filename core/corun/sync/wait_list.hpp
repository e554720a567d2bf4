// SPDX-License-Identifier: MIT
// Floor 4. Where tasks queue up for an event, a lock, an item: what every primitive of this folder is made of. What a wake-up means
// (a permit, a turn, an item) is the primitive's affair.
//
// A place in the queue is a node in the frame of the coroutine that waits: waiting allocates nothing. A primitive that goes while tasks
// wait for it ends each wait with a CancelledError that says so; a frame that comes back later, to give back what it holds or to
// take a lock again, learns by its Visit that the primitive is gone, and leaves it alone.
#pragma once

#include <corun/base/export.hpp>
#include <corun/base/intrusive_list.hpp>
#include <corun/coro/frame.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace corun::detail {

class LoopCore;
class Mailbox;
class WaitList;

// The loop on which a primitive is waited for: the one of the first wait that parks, for ever.
class CORUN_API LoopBinding {
 public:
  // noun: what is waited for, with its article: "a lock".
  explicit LoopBinding(const char* noun) noexcept : noun_(noun) {}

  // Errors: RuntimeError where it is bound to another loop, which may be gone.
  void bind(const LoopCore& loop);
  const char* noun() const noexcept { return noun_; }

 private:
  const char* noun_;
  bool bound_ = false;
  std::weak_ptr<Mailbox> loop_;  // known by its mailbox, whose count is atomic and whose block is not reused while this stands
};

// One task's place. A local of the coroutine that waits; one that waits again in the same list keeps its place.
class CORUN_API WaitNode final : public Waiter, public ListLink {
 public:
  // deaf: a cancel request does not end the wait; the task remembers it.
  enum class Hearing : std::uint8_t { normal, deaf };
  explicit WaitNode(Hearing hearing = Hearing::normal) noexcept : hearing_(hearing) {}
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;
  ~WaitNode() { unlink(); }

  // Whether the list woke it and is still there: what came with the wake-up must be used or handed on.
  bool woken() const noexcept { return state_ == State::woken; }
  // Which one it was in its wake_all(), counted from 0.
  int position() const noexcept { return position_; }
  // Whether the task remembers a request that this node did not take.
  bool cancel_pending() const noexcept { return chain_->must_cancel; }
  // Delivers the request that ended the wait.
  [[noreturn]] void throw_cancelled() { detail::throw_cancelled(*chain_); }

  bool cancel(const std::string& message) override;
  const char* what() const noexcept override;

 private:
  friend WaitList;
  enum class State : std::uint8_t { idle, waiting, woken, cancelled, orphaned };

  Chain* chain_ = nullptr;
  WaitList* list_ = nullptr;   // while waiting
  std::uint64_t ticket_ = 0;   // the order of the first waits
  int position_ = 0;
  Hearing hearing_;
  State state_ = State::idle;
};

// Tells a frame whether the primitive that it came from is still there.
class Visit : public ListLink {
 public:
  Visit() = default;
  ~Visit() { unlink(); }
  bool host_is_there() const noexcept { return linked(); }
};

class ParkAwaiter;

// What park() gives to co_await.
struct Parking {
  WaitList& list;
  WaitNode& node;
  ParkAwaiter operator co_await() const noexcept;
};

// First in, first out. A node that was woken counts as being here until its task has run: that is how later comers learn that it is not
// their turn.
class CORUN_API WaitList {
 public:
  explicit WaitList(LoopBinding& binding) noexcept : binding_(&binding) {}
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;
  // Who waits gets a CancelledError.
  ~WaitList();

  // True: woken, and nobody asked the task to cancel. False: the caller hands on what node.woken() says it got, and calls
  // node.throw_cancelled(); where woken() is false the primitive may be gone and must not be touched.
  // Errors: RuntimeError where the primitive is bound to another loop.
  Parking park(WaitNode& node) noexcept { return {*this, node}; }

  // Wakes the one that waits longest. False: nobody waits. Errors: in debug mode RuntimeError from a foreign thread, without effect.
  bool wake_first();
  void wake_all();

  bool empty() const noexcept { return waiting_.empty() && woken_.empty(); }
  const LoopBinding& binding() const noexcept { return *binding_; }
  void bind(const LoopCore& loop) { binding_->bind(loop); }

  // Registers a frame that will come back.
  void receive(Visit& visit) noexcept { visits_.push_back(visit); }

  // For ParkAwaiter.
  void enter(WaitNode& node, Chain& chain);
  static bool leave(WaitNode& node) noexcept;

 private:
  void insert(WaitNode& node) noexcept;

  LoopBinding* binding_;
  std::uint64_t tickets_ = 0;
  IntrusiveList<WaitNode, ListLink> waiting_;  // by ticket
  IntrusiveList<WaitNode, ListLink> woken_;
  IntrusiveList<Visit, ListLink> visits_;
};

class ParkAwaiter {
 public:
  ParkAwaiter(WaitList& list, WaitNode& node) noexcept : list_(&list), node_(&node) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> h) {
    FrameBase& frame = h.promise();
    list_->enter(*node_, *frame.chain);
  }
  [[nodiscard]] bool await_resume() noexcept { return WaitList::leave(*node_); }

 private:
  WaitList* list_;
  WaitNode* node_;
};

inline ParkAwaiter Parking::operator co_await() const noexcept { return ParkAwaiter(list, node); }

}  // namespace corun::detail
