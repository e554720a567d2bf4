// SPDX-License-Identifier: MIT
// Floor 3. Seeing inside: the await stack of a task, who awaits it, and both as text.
#pragma once

#include <corun/loop/any_task.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace corun {

// One frame of an await stack: a function and the place of the co_await at which it stands. line 0: it has not awaited anything yet.
struct FrameInfo {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
};

// What is known of a task at one moment.
struct CallGraph {
  std::string name;
  std::string state;               // "running", "ready", "waiting for a timer", "finished", "cancelled", ...
  std::uintptr_t id = 0;           // tells tasks apart while both are alive
  std::vector<FrameInfo> frames;   // innermost first
  std::vector<CallGraph> awaited_by;
};

// The graph of a task: its frames, and the tasks that wait for it, through gather, shield, wait, groups and generators.
// Source: asyncio.capture_call_graph.
CORUN_API CallGraph capture_call_graph(const AnyTask& task);

// In the form of asyncio.format_call_graph. limit > 0: only that many frames nearest the place where it waits; < 0: the outermost.
CORUN_API std::string format_call_graph(const CallGraph& graph, std::optional<int> limit = {});

}  // namespace corun
