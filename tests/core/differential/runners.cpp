// SPDX-License-Identifier: MIT
// Whole runs: leftovers, generators and threads at the end, what leaves run(). The same in Python:
// runners.py.
#include "trace.hpp"

#include <future>

using namespace corun;

namespace differential {
namespace {

Coro<int> leftovers_are_cancelled_together() {
  create_task(sleeper("a", 5));
  create_task(cleaning("b", 5, 2));
  create_task(cleaning("c", 5, 1));
  co_await sleep(1);
  co_return 1;
}

Coro<int> leftovers_that_fail_are_reported() {
  create_task(spiteful("a", 5));
  co_await sleep(1);
  co_return 1;
}

Coro<> a_leftover_that_swallows_is_waited_for() {
  create_task(stubborn("a", 5, 3));
  co_await sleep(1);
}

Coro<> a_leftover_that_never_began() {
  co_await sleep(1);
  create_task(sleeper("a", 5));
}

Coro<> main_and_a_leftover_fail() {
  create_task(spiteful("a", 5));
  co_await sleep(1);
  throw Oops("main");
}

Coro<> a_leftover_starts_another() {
  create_task([]() -> Coro<> {
    try {
      co_await sleep(5);
    } catch (const CancelledError&) {
      say("parent starts a child");
      create_task(sleeper("child", 5));
      throw;
    }
  });
  co_await sleep(1);
}

Coro<> a_leftover_in_a_shield() {
  auto inner = create_task(cleaning("inner", 5, 1));
  create_task(told("outer", shield(inner)));
  co_await sleep(1);
}

AsyncGenerator<int> numbers(std::string who, double clean_up) {
  std::exception_ptr error;
  try {
    co_yield 1;
    co_yield 2;
  } catch (...) {
    error = std::current_exception();
  }
  co_await sleep(clean_up);
  say(who, "is clean");
  if (error) std::rethrow_exception(error);
}

void a_generator_is_alive_at_the_end() {
  std::vector<AsyncGenerator<int>> kept;
  differential::run([](auto& generators) -> Coro<> {
    for (int i = 0; i < 2; ++i) {
      generators.push_back(numbers(i == 0 ? "a" : "b", i + 1));
      auto value = co_await generators.back().next();
      say(*value);
    }
    generators.push_back(numbers("never begun", 1));
    create_task(cleaning("task", 5, 1));
    co_await sleep(1);
  }(kept));
}

void a_generator_fails_at_the_end() {
  std::vector<AsyncGenerator<int>> kept;
  auto bad = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_await sleep(1);
    throw Oops("generator");
  };
  auto deaf = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
  };
  auto main = [&](AsyncGenerator<int> gen) -> Coro<> {
    kept.push_back(std::move(gen));
    co_await kept.back().next();
  };
  differential::run(main(bad()));
  differential::run(main(deaf()));
}

Coro<> main_ends_with_a_cancelled_error() {
  co_await sleep(1);
  current_task().cancel("main");
  co_await sleep(1);
}

Coro<> system_exit_of_main() {
  create_task(cleaning("child", 5, 1));
  co_await sleep(1);
  throw SystemExit(3);
}

Coro<> exiting() {
  co_await sleep(1);
  throw SystemExit(3);
}

Coro<> system_exit_of_a_child() {
  auto kept = create_task(exiting());
  try {
    co_await sleep(5);
  } catch (...) {
    say("main is cancelled", kept.done());
    throw;
  }
}

Coro<> system_exit_of_a_callback() {
  get_running_loop().call_later(Seconds(1), [] { throw SystemExit(4); });
  co_await sleeper("main", 5);
}

Coro<> system_exit_in_a_group() {
  co_await task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(exiting());
    group.create_task(cleaning("sibling", 5, 1));
    co_return;
  });
}

ContextVar<int> var("var", 0);

void runs_share_a_loop_and_a_context() {
  auto main = [](int value) -> Coro<> {
    say(var.get());
    var.set(value);
    co_await sleep(1);
  };
  {
    Runner runner(options());
    runner.run(main(1));
    runner.run(main(2));
    Context context = copy_context();
    runner.run(main(3), {.context = &context});
    say("given", context.run([] { return var.get(); }));
    runner.run(main(4));
  }
  say("outside", var.get());
}

void a_leftover_goes_on_in_the_next_run() {
  auto first = []() -> Coro<> {
    create_task(sleeper("leftover", 2));
    co_await sleep(1);
  };
  auto second = []() -> Coro<> {
    say(all_tasks().size());
    co_await sleep(2);
  };
  Runner runner(options());
  runner.run(first());
  say("between");
  runner.run(second());
}

void a_failed_run_leaves_the_runner_usable() {
  auto good = []() -> Coro<int> { co_return 1; };
  Runner runner(options());
  attempt("bad", [&] { runner.run(failing("main", 1)); });
  attempt("good", [&] { return runner.run(good()); });
}

Coro<> a_run_inside_a_run_is_refused() {
  auto inner = []() -> Coro<> {
    say("never");
    co_return;
  };
  auto coro = inner();
  attempt("run", [&] { corun::run(std::move(coro)); });
  coro.close();
  co_await sleep(1);
}

void a_closed_runner_refuses() {
  auto main = []() -> Coro<> {
    say("main");
    co_return;
  };
  Runner runner(options());
  attempt("run", [&] { runner.run(main()); });
  runner.close();
  runner.close();
  auto coro = main();
  attempt("run", [&] { runner.run(std::move(coro)); });
  coro.close();
  attempt("loop", [&] { runner.loop(); });
}

Coro<> a_stopped_loop() {
  get_running_loop().call_later(Seconds(1), [] { get_running_loop().stop(); });
  co_await sleeper("main", 2);
}

ContextVar<int> in_threads("var", 0);

Coro<> a_thread_gives_its_result() {
  in_threads.set(3);
  co_await told("thread", to_thread([](int a) { return a + in_threads.get(); }, 4));
  co_await told("executor", run_in_executor(nullptr, [] { return in_threads.get(); }));
  co_await told("bad", to_thread([] { throw Oops("thread"); }));
}

void a_thread_is_waited_for_at_the_end() {
  std::promise<void> go;
  std::string ended;
  auto work = [&](Loop& loop, Event& began) {
    loop.call_soon_threadsafe([&] { began.set(); });
    go.get_future().wait();
    ended = "the thread ended";
  };
  differential::run([](auto& body, auto& signal) -> Coro<> {
    Event began;
    Loop& loop = get_running_loop();
    auto call = [&] { body(loop, began); };
    auto task = create_task(told("child", to_thread(call)));
    co_await began.wait();
    task.cancel("main");
    co_await task;
    signal.set_value();
  }(work, go));
  say(ended);
}

Coro<> a_coroutine_from_another_thread() {
  auto work = []() -> Coro<int> { co_return 6; };
  auto bad = []() -> Coro<> {
    throw Oops("bad");
    co_return;
  };
  Loop& loop = get_running_loop();
  int value = 0;
  std::exception_ptr
      error;  // looked at in this thread: the sanitizer does not see libstdc++ count references
  auto other = [&] {
    value = run_coroutine_threadsafe(work(), loop).get();
    try {
      run_coroutine_threadsafe(bad(), loop).get();
    } catch (const Oops&) {
      error = std::current_exception();
    }
  };
  co_await to_thread(std::ref(other));
  say(value, kind(error));
}

}  // namespace

std::vector<Scenario> runner_scenarios() {
  return {
      DIFFERENTIAL_MAIN(leftovers_are_cancelled_together),
      DIFFERENTIAL_MAIN(leftovers_that_fail_are_reported),
      DIFFERENTIAL_MAIN(a_leftover_that_swallows_is_waited_for),
      DIFFERENTIAL_MAIN(a_leftover_that_never_began),
      DIFFERENTIAL_MAIN(main_and_a_leftover_fail),
      DIFFERENTIAL_MAIN(a_leftover_starts_another),
      DIFFERENTIAL_MAIN(a_leftover_in_a_shield),
      DIFFERENTIAL_PLAIN(a_generator_is_alive_at_the_end),
      DIFFERENTIAL_PLAIN(a_generator_fails_at_the_end),
      DIFFERENTIAL_MAIN(main_ends_with_a_cancelled_error),
      DIFFERENTIAL_MAIN(system_exit_of_main),
      DIFFERENTIAL_MAIN(system_exit_of_a_child),
      DIFFERENTIAL_MAIN(system_exit_of_a_callback),
      DIFFERENTIAL_MAIN(system_exit_in_a_group),
      DIFFERENTIAL_PLAIN(runs_share_a_loop_and_a_context),
      DIFFERENTIAL_PLAIN(a_leftover_goes_on_in_the_next_run),
      DIFFERENTIAL_PLAIN(a_failed_run_leaves_the_runner_usable),
      DIFFERENTIAL_MAIN(a_run_inside_a_run_is_refused),
      DIFFERENTIAL_PLAIN(a_closed_runner_refuses),
      DIFFERENTIAL_MAIN(a_stopped_loop),
      DIFFERENTIAL_MAIN(a_thread_gives_its_result),
      DIFFERENTIAL_PLAIN(a_thread_is_waited_for_at_the_end),
      DIFFERENTIAL_MAIN(a_coroutine_from_another_thread),
  };
}

}  // namespace differential
