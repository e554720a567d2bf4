// SPDX-License-Identifier: MIT
#include <corun/base/errors.hpp>
#include <corun/loop/handle.hpp>
#include <corun/loop/loop.hpp>

namespace corun::detail {

// A callback scheduled from another thread takes that thread's context but no scope: scopes are counted on their loop's thread.
Callback::Callback(const Context* context) : scope_(thread_state.loop ? thread_state.scope : nullptr) {
  if (context)
    context_.cell = cell_of(*context);
  else
    context_ = current_context_slot().copy();
  if (scope_) scope_->retain();
}

Callback::~Callback() { drop_scope(); }

void Callback::drop_scope() noexcept {
  if (ScopeCore* scope = std::exchange(scope_, nullptr)) scope->release();
}

void Callback::run() {
  Ref<Callback> hold = Ref<Callback>::adopt(this);
  if (cancelled()) return;
  AmbientGuard ambient(&context_, scope_);
  try {
    call();
  } catch (const KeyboardInterrupt&) {
    throw;
  } catch (const SystemExit&) {
    throw;
  } catch (...) {
    report(thread_state.loop, {.message = "Exception in callback " + demangle(type().name()),
                               .exception = std::current_exception(),
                               .handle = Handle(hold)});
  }
}

TimedCallback::TimedCallback(LoopCore& loop, std::chrono::steady_clock::time_point at, const Context* context)
    : Callback(context), loop_(&loop) {
  when = at;
  loop.retain();
}

TimedCallback::~TimedCallback() { loop_->release(); }

void TimedCallback::cancel() noexcept {
  Callback::cancel();
  if (!armed()) return;
  loop_->remove_timer(*this);
  release();  // the heap's hold
}

void TimedCallback::expired() noexcept { loop_->make_ready(*this); }

}  // namespace corun::detail
