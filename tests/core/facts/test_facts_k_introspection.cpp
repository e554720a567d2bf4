// SPDX-License-Identifier: MIT
// Facts 132-135: seeing inside.
#include <corun/corun.hpp>
#include <corun/testing/virtual_time.hpp>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/reports.hpp"

using namespace std::chrono_literals;
using corun::AnyTask;
using corun::CallGraph;
using corun::Coro;
using corun::Future;
using corun::Task;

namespace {

Coro<> innermost(Future<> future) { co_await future; }
Coro<> middle(Future<> future) { co_await innermost(future); }
Coro<> outermost(Future<> future) { co_await middle(future); }

Coro<> passes(int count) {
  for (int pass = 0; pass < count; ++pass) co_await corun::sleep(0s);
}

std::vector<std::string> functions(const CallGraph& graph) {
  std::vector<std::string> all;
  for (const auto& frame : graph.frames) all.push_back(frame.function);
  return all;
}

std::vector<std::string> awaited_by(const AnyTask& task) {
  std::vector<std::string> all;
  for (const auto& graph : corun::capture_call_graph(task).awaited_by) all.push_back(graph.name);
  return all;
}

// A task called "waiter" that awaits what `make(future's task)` gives; tells who awaits the task.
template <class Make>
std::vector<std::string> waiters_through(Make make) {
  std::vector<std::string> result;
  auto main = [&]() -> Coro<> {
    Future<> gate;
    auto task = corun::create_task(outermost(gate), {.name = "inner"});
    auto body = [&]() -> Coro<> { co_await make(task); };
    auto waiter = corun::create_task(body(), {.name = "waiter"});
    co_await passes(4);
    result = awaited_by(task);
    gate.set_result();
    co_await waiter;
  };
  corun::run(main(), tests::virtual_time());
  return result;
}

}  // namespace

TEST_CASE("132: the graph of a suspended task has its frames, innermost first, each at its await") {
  auto main = []() -> Coro<> {
    Future<> gate;
    auto task = corun::create_task(outermost(gate), {.name = "subject"});
    co_await passes(1);
    CallGraph graph = corun::capture_call_graph(task);
    CHECK(graph.name == "subject");
    CHECK(graph.state == "waiting for a future");
    CHECK(functions(graph) == std::vector<std::string>{"innermost", "middle", "outermost"});
    for (const auto& frame : graph.frames) {
      CHECK(frame.file.ends_with("test_facts_k_introspection.cpp"));
      CHECK(frame.line > 0);
    }
    CHECK(graph.frames[0].line + 1 == graph.frames[1].line);
    CHECK(graph.awaited_by.empty());
    gate.set_result();
    co_await task;
    CHECK(corun::capture_call_graph(task).frames.empty());
  };
  corun::run(main());
}

TEST_CASE("132: who awaits a task is found directly and through every combinator") {
  const std::vector<std::string> waiter{"waiter"};
  CHECK(waiters_through([](Task<> task) -> Coro<> { co_await task; }) == waiter);
  CHECK(waiters_through([](Task<> task) -> Coro<> { co_await corun::gather(task); }) == waiter);
  CHECK(waiters_through([](Task<> task) -> Coro<> { co_await corun::shield(task); }) == waiter);
  CHECK(waiters_through([](Task<> task) -> Coro<> { co_await corun::wait(task); }) == waiter);
  CHECK(waiters_through([](Task<> task) -> Coro<> { co_await corun::wait_for(task, 1h); }) == waiter);
  CHECK(waiters_through([](Task<> task) -> Coro<> {
          std::vector<Task<>> only(1, task);
          auto order = corun::as_completed(only);
          co_await order.next();
        }) == waiter);
}

TEST_CASE("132: a group's children are awaited by the task whose group it is") {
  auto main = []() -> Coro<> {
    Future<> gate;
    std::optional<Task<>> child;
    auto body = [&](corun::TaskGroup& group) -> Coro<> {
      child = group.create_task(outermost(gate));
      co_return;
    };
    auto parent = [&]() -> Coro<> { co_await corun::task_group(body); };
    auto task = corun::create_task(parent(), {.name = "waiter"});
    co_await passes(3);
    CHECK(awaited_by(*child) == std::vector<std::string>{"waiter"});
    gate.set_result();
    co_await task;
  };
  corun::run(main());
}

TEST_CASE("132: an async generator's frame stands in the stack of who iterates it") {
  auto main = []() -> Coro<> {
    Future<> gate;
    auto generate = [](Future<> future) -> corun::AsyncGenerator<int> {
      co_await innermost(future);
      co_yield 1;
    };
    auto body = [&]() -> Coro<> {
      auto generator = generate(gate);
      co_await generator.next();
    };
    auto task = corun::create_task(body());
    co_await passes(1);
    auto graph = corun::capture_call_graph(task);
    CHECK(graph.frames.size() == 3);
    CHECK(graph.frames[0].function == "innermost");
    gate.set_result();
    co_await task;
  };
  corun::run(main());
}

TEST_CASE("133: the text of a graph nests who awaits by indentation") {
  auto main = []() -> Coro<> {
    Future<> gate;
    auto inner = corun::create_task(outermost(gate), {.name = "inner"});
    auto body = [&]() -> Coro<> { co_await inner; };
    auto outer = corun::create_task(body(), {.name = "outer"});
    co_await passes(2);
    std::string text = corun::format_call_graph(corun::capture_call_graph(inner));
    CHECK(text.find("* Task(name='inner', id=0x") == 0);
    CHECK(text.find("\n  + Call stack:\n  |   File '") != text.npos);
    CHECK(text.find("test_facts_k_introspection.cpp', line ") != text.npos);
    CHECK(text.find(", in async innermost()\n") != text.npos);
    CHECK(text.find("\n  + Awaited by:\n     * Task(name='outer', id=0x") != text.npos);
    CHECK(text.find("\n       + Call stack:\n") != text.npos);
    gate.set_result();
    co_await outer;
  };
  corun::run(main());
}

TEST_CASE("133: a limit keeps the frames nearest the wait, a negative one the outermost, zero none") {
  auto main = []() -> Coro<> {
    Future<> gate;
    auto task = corun::create_task(outermost(gate));
    co_await passes(1);
    auto graph = corun::capture_call_graph(task);
    auto kept = [&](std::optional<int> limit) {
      std::string text = corun::format_call_graph(graph, limit);
      std::vector<std::string> names;
      for (const char* name : {"innermost", "middle", "outermost"})
        if (text.find(std::string("in async ") + name) != text.npos) names.push_back(name);
      return names;
    };
    CHECK(kept({}) == std::vector<std::string>{"innermost", "middle", "outermost"});
    CHECK(kept(2) == std::vector<std::string>{"innermost", "middle"});
    CHECK(kept(-1) == std::vector<std::string>{"outermost"});
    CHECK(kept(0).empty());
    gate.set_result();
    co_await task;
  };
  corun::run(main());
}

TEST_CASE("135: tasks have names, by default a number, and their state can be read") {
  auto main = []() -> Coro<> {
    CHECK(corun::current_task().name() == "Task-1");
    Future<> gate;
    auto task = corun::create_task(outermost(gate));
    CHECK(task.name() == "Task-2");
    task.set_name("renamed");
    auto state = [&] { return corun::capture_call_graph(task).state; };
    CHECK(corun::capture_call_graph(task).name == "renamed");
    CHECK(state() == "not started");
    co_await passes(1);
    CHECK(state() == "waiting for a future");
    task.cancel();
    CHECK(state().find("cancelling") != std::string::npos);
    co_await passes(1);
    CHECK(state() == "cancelled");
    CHECK(corun::capture_call_graph(corun::current_task()).state == "running");
    auto finished = corun::create_task(passes(0));
    co_await finished;
    CHECK(corun::capture_call_graph(finished).state == "finished");
  };
  corun::run(main());
}
