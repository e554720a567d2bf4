// SPDX-License-Identifier: MIT
#include <corun/coro/async_generator.hpp>

namespace corun::detail {

void GeneratorFrame::abandon() noexcept {
  abandoned = true;
  state = State::finished;
  caller_bits = 1;
  chain = nullptr;
  if (orphaned) generator_destroy(*this);
}

void generator_enter(GeneratorFrame& frame, const char* call) {
  if (frame.state == GeneratorFrame::State::running)
    throw RuntimeError(std::string(call) + ": asynchronous generator is already running");
  if (frame.state == GeneratorFrame::State::created) generator_started(frame);
}

Coro<> generator_aclose(GeneratorFrame& frame) {
  if (frame.state == GeneratorFrame::State::created) frame.state = GeneratorFrame::State::finished;
  if (frame.state == GeneratorFrame::State::finished) co_return;
  generator_enter(frame, "aclose()");
  frame.closing = true;
  bool yielded_again = false;
  try {
    co_await GeneratorAdvance{frame};
    yielded_again = frame.state == GeneratorFrame::State::suspended;
  } catch (const GeneratorExit&) {
  }
  if (yielded_again) throw RuntimeError("async generator ignored GeneratorExit");
}

}  // namespace corun::detail
