// SPDX-License-Identifier: MIT
// A plugin that does to the daemon what jobs may do: good manners and bad ones. The integration tests load it. Kinds that take `trace`
// append a line to that file for what they see, so that a test can tell what happened in a process that is gone.
#include <corund/plugin.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

using corun::Coro;
using corund::JobContext;
using corund::Json;

void trace(const std::string& path, const std::string& line) {
  if (path.empty()) return;
  int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const std::string text = line + "\n";
  (void)!::write(fd, text.data(), text.size());
  ::close(fd);
}

auto seconds(double count) { return std::chrono::duration<double>(count); }

// ---- waiting in various ways

struct WaitArgs {
  double seconds = 1;
  int count = 1;
  std::string trace;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WaitArgs, seconds, count, trace)

Coro<> wait_and_tell(double length, std::string path, std::string who) {
  try {
    co_await corun::sleep(seconds(length));
  } catch (const corun::CancelledError&) {
    trace(path, who + " cancelled");
    throw;
  }
}

Coro<Json> wait_alone(JobContext&, WaitArgs args) {
  co_await wait_and_tell(args.seconds, args.trace, "wait");
  co_return Json{{"waited", args.seconds}};
}

Coro<Json> group(JobContext&, WaitArgs args) {
  try {
    co_await corun::task_group([&args](corun::TaskGroup& children) -> Coro<> {
      for (int i = 0; i < args.count; ++i)
        (void)children.create_task(wait_and_tell(args.seconds, args.trace, "child " + std::to_string(i)));
      co_return;
    });
  } catch (const corun::CancelledError&) {
    trace(args.trace, "group cancelled");
    throw;
  }
  co_return Json{{"children", args.count}};
}

void block(double length, std::string path) {
  trace(path, "thread begins");
  std::this_thread::sleep_for(seconds(length));
  trace(path, "thread ends");
}

Coro<Json> thread(JobContext&, WaitArgs args) {
  co_await corun::to_thread(block, args.seconds, args.trace);
  co_return Json{{"blocked", args.seconds}};
}

// Never awaits: what only a signal's default disposition can end.
Coro<Json> spin(JobContext&, WaitArgs args) {
  co_await corun::sleep(seconds(0));  // whoever asks where the loop hangs is told this line
  trace(args.trace, "spin begins");
  const auto until = std::chrono::steady_clock::now() + seconds(args.seconds);
  volatile unsigned long turns = 0;
  while (std::chrono::steady_clock::now() < until) turns = turns + 1;
  trace(args.trace, "spin ends");
  co_return Json{{"turns", static_cast<unsigned long>(turns)}};
}

// ---- odd ends

struct ThrowArgs {
  std::string what = "int";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ThrowArgs, what)

struct Oddity {};

[[noreturn]] void throw_it(const std::string& what) {
  if (what == "int") throw 42;
  if (what == "string") throw std::string("a string");
  if (what == "text") throw "a text";
  if (what == "struct") throw Oddity{};
  if (what == "SystemExit") throw corun::SystemExit(3);
  if (what == "KeyboardInterrupt") throw corun::KeyboardInterrupt(2);
  if (what == "CancelledError") throw corun::CancelledError("of its own");
  if (what == "JobFailure") throw corund::JobFailure("Custom", "with a result", corund::to_text(Json{{"code", 7}}));
  throw std::runtime_error(what);
}

Coro<Json> throw_now(JobContext&, ThrowArgs args) {
  throw_it(args.what);
  co_return Json::object();
}

Coro<> throw_soon(std::string what) {
  co_await corun::sleep(std::chrono::milliseconds(1));
  throw_it(what);
}

// A task of the job throws, and nobody awaits it.
Coro<Json> throw_from_child(JobContext&, ThrowArgs args) {
  auto child = corun::create_task(throw_soon(args.what));
  co_await corun::sleep(std::chrono::milliseconds(50));
  co_return Json::object();
}

Coro<Json> not_an_object(JobContext&) { co_return Json(5); }

// ---- context

corun::ContextVar<std::string> remembered("probe.remembered", "");

struct SetArgs {
  std::string value;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(SetArgs, value)

Coro<Json> set(JobContext&, SetArgs args) {
  remembered.set(args.value);
  co_return Json{{"value", args.value}};
}

Coro<Json> get(JobContext&) { co_return Json{{"value", remembered.get()}}; }

// ---- bad manners

// Leaves tasks behind that are not done.
Coro<Json> leave(JobContext&, WaitArgs args) {
  for (int i = 0; i < args.count; ++i) {
    const std::string name = "left-" + std::to_string(i);
    (void)corun::create_task(wait_and_tell(args.seconds, args.trace, name), {.name = name});
  }
  co_await corun::sleep(std::chrono::milliseconds(1));
  co_return Json{{"left", args.count}};
}

// Swallows the cancellation and returns in its own way.
Coro<Json> swallow(JobContext&, WaitArgs args) {
  bool is_cancelled = false;
  try {
    co_await corun::sleep(seconds(args.seconds));
  } catch (const corun::CancelledError&) {
    is_cancelled = true;
  }
  co_return Json{{"swallowed", is_cancelled}};
}

// Swallows `count` cancellations and goes on waiting.
Coro<Json> stubborn(JobContext&, WaitArgs args) {
  const auto until = corun::get_running_loop().time() + std::chrono::duration_cast<std::chrono::nanoseconds>(seconds(args.seconds));
  int swallowed = 0;
  while (corun::get_running_loop().time() < until) {
    try {
      co_await corun::sleep(until - corun::get_running_loop().time());
    } catch (const corun::CancelledError&) {
      trace(args.trace, "stubborn");
      if (++swallowed > args.count) throw;
    }
  }
  co_return Json{{"swallowed", swallowed}};
}

// ---- talk and children

Coro<Json> talk(JobContext& job, WaitArgs args) {
  for (int i = 0; i < args.count; ++i) {
    job.progress(static_cast<double>(i) / args.count, "step " + std::to_string(i));
    job.log(5, "said " + std::to_string(i), {{"step", std::to_string(i)}});
    job.emit(Json{{"number", i}});
    job.output(corund::Stream::out, "line " + std::to_string(i));
    co_await corun::sleep(seconds(args.seconds));
  }
  co_return Json{{"told", args.count}};
}

struct ChildArgs {
  std::string kind;
  Json args = Json::object();
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ChildArgs, kind, args)

Coro<Json> child(JobContext& job, ChildArgs args) {
  Json result = co_await job.run(args.kind, args.args);
  co_return Json{{"child", result}};
}

std::string start_word = "not started";

// As slow as the environment says: until it is over the daemon is not ready.
Coro<> at_start() {
  const char* length = std::getenv("PROBE_START_SECONDS");
  co_await corun::sleep(seconds(length ? std::atof(length) : 0));
  start_word = "started";
  remembered.set("from the start");
}

struct NoteArgs {
  std::string trace;
  std::string line;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NoteArgs, trace, line)

// Leaves a line behind and ends.
Coro<Json> note(JobContext&, NoteArgs args) {
  trace(args.trace, args.line);
  co_return Json::object();
}

struct ResultArgs {
  Json result;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ResultArgs, result)

// Returns what it is told to, whatever its schema says.
Coro<Json> promise(JobContext&, ResultArgs args) { co_return args.result; }

Coro<Json> started(JobContext&) { co_return Json{{"word", start_word}}; }

}  // namespace

CORUND_PLUGIN(registry) {
  registry.add("probe.wait", wait_alone);
  registry.add("probe.group", group);
  registry.add("probe.thread", thread);
  registry.add("probe.spin", spin);
  registry.add("probe.throw", throw_now);
  registry.add("probe.throw_from_child", throw_from_child);
  registry.add("probe.not_an_object", not_an_object);
  registry.add("probe.set", set, {.summary = "Set the variable that probe.get reads"});
  registry.add("probe.get", get);
  registry.add("probe.leave", leave);
  registry.add("probe.swallow", swallow);
  registry.add("probe.stubborn", stubborn);
  registry.add("probe.talk", talk);
  registry.add("probe.child", child);
  registry.add("probe.note", note);
  registry.add("probe.promise", promise,
               {.result_schema = R"({"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"]})"});
  registry.add("probe.started", started);
  registry.at_start(at_start);
}
