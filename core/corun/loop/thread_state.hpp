// SPDX-License-Identifier: MIT
// Floor 2. What is current in a thread: the running loop, the task in its step, the context, the scope.
#pragma once

#include <corun/base/export.hpp>
#include <corun/loop/context_cell.hpp>
#include <corun/loop/scope_core.hpp>

namespace corun::detail {

struct ThreadState {
  LoopCore* loop;        // the loop that runs in this thread
  TaskCore* task;        // the task in its step; null in a callback
  ContextSlot* context;  // null: the thread's own, made on demand
  ScopeCore* scope;      // null: none
};

extern CORUN_API constinit thread_local ThreadState thread_state;

// The slot of a thread outside any task.
CORUN_API ContextSlot& own_context_slot();

// The current context's slot; a thread outside any task has one of its own.
CORUN_INLINE ContextSlot& current_context_slot() {
  ContextSlot* slot = thread_state.context;
  return slot ? *slot : own_context_slot();
}

// Makes a slot and a scope current while a callback runs.
class AmbientGuard {
 public:
  AmbientGuard(ContextSlot* context, ScopeCore* scope) noexcept
      : saved_(thread_state) {
    thread_state.context = context;
    thread_state.scope = scope;
    thread_state.task = nullptr;
  }
  ~AmbientGuard() {
    thread_state.context = saved_.context;
    thread_state.scope = saved_.scope;
    thread_state.task = saved_.task;
  }
  AmbientGuard(const AmbientGuard&) = delete;
  AmbientGuard& operator=(const AmbientGuard&) = delete;

 private:
  ThreadState saved_;
};

}  // namespace corun::detail
