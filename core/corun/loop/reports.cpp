// SPDX-License-Identifier: MIT
// Where errors that nobody awaited and warnings go: the loop's handlers, else stderr in asyncio's words.
#include <corun/base/errors.hpp>
#include <corun/loop/loop.hpp>
#include <cstdio>

namespace corun {
namespace {

// The default handler: the message, then each other key with its value, sorted, and the exception last, as asyncio.
void print_default(const ExceptionContext& context) {
  std::string text = context.message.empty() ? "Unhandled exception in event loop" : context.message;
  if (!context.generator.empty()) text += "\nasyncgen: " + context.generator;
  if (context.task) text += "\ntask: " + context.task->name();
  if (!context.where.empty()) text += "\nwhere: " + context.where;
  if (context.exception) text += "\nexception: " + detail::describe(context.exception);
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void Loop::set_exception_handler(std::function<void(Loop&, const ExceptionContext&)> handler) {
  exception_handler_ = std::move(handler);
}

void Loop::call_exception_handler(const ExceptionContext& context) {
  if (!exception_handler_) return print_default(context);
  auto handler = exception_handler_;  // it may replace itself
  try {
    handler(*this, context);
  } catch (const KeyboardInterrupt&) {
    throw;
  } catch (const SystemExit&) {
    throw;
  } catch (...) {
    print_default({.message = "Unhandled error in exception handler", .exception = std::current_exception()});
    print_default(context);
  }
}

void Loop::set_warning_handler(std::function<void(std::string_view)> handler) { warning_handler_ = std::move(handler); }

void Loop::warn(std::string_view message) {
  if (warning_handler_) {
    auto handler = warning_handler_;
    handler(message);
  } else {
    std::fprintf(stderr, "corun: warning: %.*s\n", static_cast<int>(message.size()), message.data());
  }
}

namespace detail {

void report(LoopCore* loop, const ExceptionContext& context) noexcept {
  try {
    if (loop && loop->face)
      loop->face->call_exception_handler(context);
    else
      print_default(context);
  } catch (...) {
    std::fputs("corun: an exception handler threw while a report was made\n", stderr);
  }
}

void warn(LoopCore* loop, std::string_view message) noexcept {
  try {
    if (loop && loop->face)
      loop->face->warn(message);
    else
      std::fprintf(stderr, "corun: warning: %.*s\n", static_cast<int>(message.size()), message.data());
  } catch (...) {
    std::fputs("corun: a warning handler threw\n", stderr);
  }
}

void never_awaited(FrameBase& frame) noexcept {
  std::string text = "coroutine '" + function_name(frame.function) + "' was never awaited";
  if (thread_state.loop && thread_state.loop->debug) {
    text += std::string("\nwhere: ") + frame.function.file_name() + ':' + std::to_string(frame.function.line());
    text += frame_origin(frame);
  }
  warn(thread_state.loop, text);
}

}  // namespace detail
}  // namespace corun
