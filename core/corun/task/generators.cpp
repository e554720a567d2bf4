// SPDX-License-Identifier: MIT
// What the loop owes async generators: it knows each that has begun, finishes the ones that were dropped half-way, and those that are
// alive when it closes. Source: asyncio's asyncgen hooks and shutdown_asyncgens().
#include <corun/coro/async_generator.hpp>
#include <corun/task/future.hpp>
#include <corun/task/task.hpp>

namespace corun {
namespace detail {
namespace {

LoopCore* loop_of(GeneratorFrame& frame) { return static_cast<LoopCore*>(frame.loop); }

// Closes one generator; what its clean-up throws is reported, not passed on.
Coro<> close_reporting(GeneratorFrame* frame, LoopCore* loop) {
  std::string name = function_name(frame->function);
  std::exception_ptr failure;
  try {
    co_await generator_aclose(*frame);
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  if (failure)
    report(loop, {.message = "an error occurred during closing of asynchronous generator " + name,
                  .exception = failure,
                  .generator = name});
}

Coro<> close_orphan(GeneratorFrame* frame, LoopCore* loop) {
  struct Destroy {
    GeneratorFrame* frame;
    ~Destroy() {
      if (frame->state == GeneratorFrame::State::running) return;  // abandoned in the middle: its chain destroys it
      generator_destroy(*frame);
    }
  } destroy{frame};
  co_await close_reporting(frame, loop);
}

}  // namespace

void generator_started(GeneratorFrame& frame) {
  LoopCore& loop = running_loop();
  if (loop.generators_shut_down)
    warn(&loop, "asynchronous generator " + function_name(frame.function) +
                    " was scheduled after loop.shutdown_asyncgens() call");
  frame.loop = &loop;
  frame.scope = thread_state.scope;
  loop.generators.push_back(frame);
}

void generator_dropped(GeneratorFrame& frame) noexcept {
  LoopCore* loop = loop_of(frame);
  if (frame.state == GeneratorFrame::State::running) {
    frame.orphaned = true;  // its handle dies with the chain it runs in, which destroys it
    return;
  }
  if (frame.state != GeneratorFrame::State::suspended || frame.abandoned || !loop || loop->closed) {
    generator_destroy(frame);
    return;
  }
  frame.orphaned = true;
  try {
    Coro<> closing = close_orphan(&frame, loop);
    Task<> task = create_task_on(*loop, closing, {}, frame.await_at);
    static_cast<void>(task);
  } catch (...) {
    generator_destroy(frame);
  }
}

void generator_destroy(GeneratorFrame& frame) noexcept {
  frame.unlink();
  static_cast<FrameBase&>(frame).handle().destroy();
}

}  // namespace detail

Coro<> Loop::shutdown_asyncgens() {
  detail::LoopCore& core = *core_;
  core.generators_shut_down = true;
  std::vector<Task<>> closing;
  for (auto& frame : core.generators) {
    if (frame.orphaned || frame.state == detail::GeneratorFrame::State::running) continue;  // a task of its own has it
    closing.push_back(create_task(detail::close_reporting(&frame, &core)));
  }
  for (auto& task : closing) co_await task;
}

}  // namespace corun
