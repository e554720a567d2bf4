// SPDX-License-Identifier: MIT
#include <corun/loop/loop.hpp>
#include <corun/task/shield.hpp>

namespace corun::detail {

void ShieldNode::done(FutureCore& inner) noexcept {
  std::unique_ptr<ShieldNode> own(this);
  FutureCore& outer = *outer_;
  if (outer.done()) {  // it was cancelled; nobody waits for this end
    if (!inner.error || inner.state == FutureCore::State::cancelled) return;
    inner.exception_unread = false;
    if (!inner.loop->face || inner.loop->closed) return report(inner.loop, {.message = "exception in shielded future", .exception = inner.error});
    // The handler is user code: not from inside a task's end.
    inner.loop->face->call_soon([loop = inner.loop, error = inner.error] {
      report(loop, {.message = describe(error) + " exception in shielded future", .exception = error});
    });
    return;
  }
  if (inner.error) {
    inner.exception_unread = false;
    outer.error = inner.error;
    outer.exception_unread = inner.state != FutureCore::State::cancelled;
    outer.finish(inner.state);
    return;
  }
  try {
    pass_value(inner, outer);
    outer.finish(FutureCore::State::finished);
  } catch (...) {
    outer.set_exception(std::current_exception());
  }
}

}  // namespace corun::detail
