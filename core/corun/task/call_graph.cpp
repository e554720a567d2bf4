// SPDX-License-Identifier: MIT
#include <corun/task/call_graph.hpp>
#include <corun/task/task_core.hpp>
#include <cstdio>
#include <set>

namespace corun {
namespace {

using detail::FrameBase;
using detail::FutureCore;
using detail::TaskCore;

std::string waiting_for(const detail::Waiter& waiter) {
  std::string operation = waiter.operation();
  return std::string("waiting for ") + waiter.what() + (operation.empty() ? "" : ", " + operation);
}

std::string state_of(const TaskCore& task) {
  if (task.state == FutureCore::State::cancelled) return "cancelled";
  if (task.state == FutureCore::State::finished) return task.error ? "failed" : "finished";
  std::string state = detail::thread_state.task == &task ? "running"
                      : !task.started                    ? "not started"
                      : task.waiter                      ? waiting_for(*task.waiter)
                                                         : "ready";
  if (auto pending = task.cancel_pending())
    state += ", cancel pending for " + detail::seconds_text(*pending);
  else if (task.cancel_requests > 0)
    state += ", cancelling";
  return state;
}

// The path as the build named it, less the steps out of the build folder.
std::string file_of(const std::source_location& where) {
  std::string_view file = where.file_name();
  while (file.starts_with("../")) file.remove_prefix(3);
  return std::string(file);
}

FrameInfo describe_frame(const FrameBase& frame) {
  bool awaits = frame.await_at.line() != 0;
  return {.function = detail::function_name(frame.function),
          .file = file_of(awaits ? frame.await_at : frame.function),
          .line = frame.await_at.line()};
}

// Tasks that wait for a future: directly, or through futures that stand for several waits.
void collect_waiting(FutureCore& future, std::set<const FutureCore*>& seen, std::vector<CallGraph>& into);

CallGraph capture(TaskCore& task, std::set<const FutureCore*>& seen) {
  CallGraph graph;
  graph.name = task.name();
  graph.state = state_of(task);
  graph.id = reinterpret_cast<std::uintptr_t>(&task);
  for (FrameBase* frame = task.top; frame; frame = frame->caller()) graph.frames.push_back(describe_frame(*frame));
  if (seen.insert(&task).second) collect_waiting(task, seen, graph.awaited_by);
  return graph;
}

void collect_waiting(FutureCore& future, std::set<const FutureCore*>& seen, std::vector<CallGraph>& into) {
  for (detail::DoneNode& node : future.waiters) {
    if (TaskCore* task = node.waiting_task())
      into.push_back(capture(*task, seen));
    else if (FutureCore* between = node.waiting_future(); between && seen.insert(between).second)
      collect_waiting(*between, seen, into);
  }
}

void format(const CallGraph& graph, const std::string& indent, std::optional<int> limit, std::string& out) {
  char id[32];
  std::snprintf(id, sizeof id, "%#lx", static_cast<unsigned long>(graph.id));
  out += indent + "* Task(name='" + graph.name + "', id=" + id + ") " + graph.state + '\n';
  std::size_t from = 0;
  std::size_t to = graph.frames.size();
  if (limit && *limit >= 0) to = std::min(to, static_cast<std::size_t>(*limit));
  if (limit && *limit < 0) from = to - std::min(to, static_cast<std::size_t>(-*limit));
  if (from < to) out += indent + "  + Call stack:\n";
  for (std::size_t i = from; i < to; ++i) {
    const FrameInfo& frame = graph.frames[i];
    out += indent + "  |   File '" + frame.file + "', line " + std::to_string(frame.line) + ", in async " + frame.function + "()\n";
  }
  if (graph.awaited_by.empty()) return;
  out += indent + "  + Awaited by:\n";
  for (const CallGraph& waiting : graph.awaited_by) format(waiting, indent + "     ", limit, out);
}

}  // namespace

CallGraph capture_call_graph(const AnyTask& task) {
  std::set<const FutureCore*> seen;
  return capture(task.core(), seen);
}

std::string format_call_graph(const CallGraph& graph, std::optional<int> limit) {
  std::string text;
  format(graph, "", limit, text);
  return text;
}

}  // namespace corun
