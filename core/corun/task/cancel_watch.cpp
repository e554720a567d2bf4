// SPDX-License-Identifier: MIT
#include <cmath>
#include <corun/loop/loop.hpp>
#include <corun/task/call_graph.hpp>
#include <corun/task/cancel_watch.hpp>
#include <corun/task/task_core.hpp>
#include <cstdio>

namespace corun::detail {

void CancelWatch::start() {
  LoopCore& loop = *task_->loop;
  since_ = loop.now();
  if (!loop.debug || !loop.face || loop.closed || armed()) return;
  if (loop.face->slow_cancel_duration <= nanoseconds::zero()) return;
  when = since_ + to_nanoseconds(loop.face->slow_cancel_duration);
  loop.add_timer(*this);
}

void CancelWatch::stop() noexcept {
  if (armed()) task_->loop->remove_timer(*this);
}

void CancelWatch::expired() noexcept {
  auto pending = task_->cancel_pending();
  if (!pending) return;
  try {
    std::string on = task_->waiter->what();
    std::string operation = task_->waiter->operation();
    if (!operation.empty()) on += " (" + operation + ")";
    warn(task_->loop, "cancel pending for " + seconds_text(*pending) + " on " + on + ": " + task_->describe() + "\n" +
                          format_call_graph(capture_call_graph(AnyTask(task_))));
  } catch (...) {
    warn(task_->loop, "cancel pending, and no memory to say where");
  }
}

std::string seconds_text(nanoseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", std::round(std::chrono::duration<double, std::milli>(duration).count()) / 1000);
  return text;
}

}  // namespace corun::detail
