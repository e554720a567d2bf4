// SPDX-License-Identifier: MIT
// Where coroutines were made, in debug mode. A coroutine cannot see its caller's line: a default argument of its promise's
// constructor has the coroutine's own place, and there is no other hook at the call. What can be had is the machine's stack at the moment
// the frame is allocated, inside the function that the caller called; its return addresses are kept, and named when a report
// needs them. They are turned into lines by addr2line and not here: that takes the debug information of every object, which a library
// should not read behind a program's back. The coroutine that made it, and the await it stood at last, are known without that.
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <corun/base/errors.hpp>
#include <corun/coro/frame.hpp>
#include <corun/coro/frame_pool.hpp>
#include <corun/loop/thread_state.hpp>
#include <corun/task/task_core.hpp>
#include <cstdio>
#include <span>
#include <unordered_map>

namespace corun::detail {
namespace {

constexpr int depth_max = 4;  // the coroutine's own start, its caller, and two more

struct Origin {
  std::array<void*, depth_max> addresses{};
  int depth = 0;
  bool in_task = false;
  std::source_location function;  // of the coroutine that made it
  std::source_location await_at;
};

using Origins = std::unordered_map<void*, Origin>;

// Of the thread whose loop is in debug mode. A frame that goes while no loop runs there leaves its entry, which the next frame at
// that address replaces.
Origins& origins() {
  thread_local Origins of_thread;
  return of_thread;
}

// "program+0x1234 (symbol)": the offset as addr2line -e program wants it.
std::string address_text(void* return_address) {
  auto at = reinterpret_cast<std::uintptr_t>(return_address) - 1;  // within the call, not after it
  char number[32];
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(at), &info) == 0 || !info.dli_fname) {
    std::snprintf(number, sizeof number, "%#lx", static_cast<unsigned long>(at));
    return number;
  }
  auto* header = static_cast<const Elf64_Ehdr*>(info.dli_fbase);
  auto offset = header->e_type == ET_DYN ? at - reinterpret_cast<std::uintptr_t>(info.dli_fbase) : at;
  std::snprintf(number, sizeof number, "+%#lx", static_cast<unsigned long>(offset));
  std::string text = std::string(info.dli_fname) + number;
  if (info.dli_sname) text += " (" + demangle(info.dli_sname) + ")";
  return text;
}

}  // namespace

[[gnu::noinline]] void frame_made(void* block) noexcept {
  Origin origin;
  std::array<void*, depth_max + 1> stack{};
  int depth = ::backtrace(stack.data(), static_cast<int>(stack.size()));
  origin.depth = std::max(depth - 1, 0);  // less this function
  std::copy_n(stack.begin() + 1, origin.depth, origin.addresses.begin());
  if (TaskCore* task = thread_state.task; task && task->top) {
    origin.in_task = true;
    origin.function = task->top->function;
    origin.await_at = task->top->await_at;
  }
  try {
    origins().insert_or_assign(block, origin);
  } catch (const std::bad_alloc&) {
    // A report will have to do without it.
  }
}

void frame_gone(void* block) noexcept { origins().erase(block); }

std::string frame_origin(FrameBase& frame) {
  if (!frame_pool.traced) return {};
  auto found = origins().find(frame.handle().address());
  if (found == origins().end()) return {};
  const Origin& origin = found->second;
  std::string text;
  if (origin.in_task) {
    text += "\nmade by: " + function_name(origin.function) + "()";
    text += origin.await_at.line() == 0 ? std::string(", before its first await")
                                        : std::string(", after its await at ") + origin.await_at.file_name() + ':' +
                                              std::to_string(origin.await_at.line());
  }
  text += "\nmade at (addr2line -Cfip -e FILE OFFSET):";
  for (void* address : std::span(origin.addresses).first(static_cast<std::size_t>(origin.depth)))
    text += "\n  " + address_text(address);
  return text;
}

}  // namespace corun::detail
