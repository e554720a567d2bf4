// SPDX-License-Identifier: MIT
#include <corun/task/sleep.hpp>
#include <corun/task/task_core.hpp>

namespace corun {
namespace detail {

SleepAwaiter::~SleepAwaiter() {
  if (armed()) static_cast<TaskCore*>(chain_)->loop->remove_timer(*this);
}

void SleepAwaiter::park(Chain& chain) {
  chain_ = &chain;
  auto& task = static_cast<TaskCore&>(chain);
  if (chain.must_cancel) {  // requested in this very step: no timer is set
    chain.park(nullptr);
    wake(chain);
    return;
  }
  task.loop->add_timer(*this);
  chain.park(this);
}

bool SleepAwaiter::cancel(const std::string& message) {
  auto& task = static_cast<TaskCore&>(*chain_);
  task.loop->remove_timer(*this);
  task.set_cancel_message(message);
  cancelled_ = true;
  wake(*chain_);
  return true;
}

bool CheckpointAwaiter::look() {
  auto& task = static_cast<TaskCore&>(*chain_);
  if (!task.loop->attention.load(std::memory_order_relaxed)) return false;
  try {
    task.loop->deliver_attention();
    return false;
  } catch (const KeyboardInterrupt& interrupt) {
    // It leaves the loop, not this task: the loop throws it at the next step boundary, and the task stays pending.
    task.loop->leave_with = interrupt.signal_number();
    task.loop->attention.store(true, std::memory_order_relaxed);
    task.park(nullptr);
    wake(task);
    return true;
  }
}

Coro<> sleep(nanoseconds delay) { co_await SleepUntil{running_loop().now() + delay}; }

namespace with_frame {
Coro<> sleep() { co_await AwaitableOf<YieldAwaiter>{}; }
}  // namespace with_frame

Coro<> pass_with_frame() { return with_frame::sleep(); }

}  // namespace detail

Coro<> checkpoint() { co_await detail::AwaitableOf<detail::CheckpointAwaiter>{}; }

}  // namespace corun
