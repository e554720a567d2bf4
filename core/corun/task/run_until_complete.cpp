// SPDX-License-Identifier: MIT
#include <corun/task/call_graph.hpp>
#include <corun/task/run_until_complete.hpp>

namespace corun::detail {

void run_until_done(LoopCore& loop, TaskCore& task) {
  Ref<TaskCore> hold(&task);
  // The stop is a callback of its own, as asyncio's: what main made ready in its last step still gets its step (fact 77).
  Context none;
  // Where main's SystemExit, or a signal, left the loop after main's end, the callback is still queued: it must not stop the next run.
  CallbackId id = task.add_done_callback(
      [&loop, number = ++loop.runs](FutureCore&) {
        if (loop.runs == number) loop.stopping = true;
      },
      &none);
  struct Cleanup {
    LoopCore& loop;
    TaskCore& task;
    CallbackId id;
    ~Cleanup() {
      ++loop.runs;
      loop.idle_report = nullptr;
      task.remove_done_callback(id);
    }
  } cleanup{loop, task, id};
  if (loop.debug || loop.virtual_time) {
    loop.idle_reported = false;
    loop.idle_report = [&task] { return format_call_graph(capture_call_graph(AnyTask(&task))); };
  }
  loop.run();
  if (!task.done()) throw RuntimeError("Event loop stopped before Future completed.");
}

}  // namespace corun::detail
