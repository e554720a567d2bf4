// SPDX-License-Identifier: MIT
// Context variables and generators. The same in Python: contexts.py.
#include "trace.hpp"

using namespace corun;

namespace differential {
namespace {

ContextVar<int> var("var", 0);

// Each scenario begins with the variable at its default, as Python's have one of their own.
Coro<> changing(std::string who, int value) {
  say(who, var.get());
  var.set(value);
  co_await sleep(1);
  say(who, var.get());
}

Coro<> a_task_has_a_context_of_its_own() {
  var.set(1);
  auto a = create_task(changing("a", 10));
  var.set(2);
  auto b = create_task(changing("b", 20));
  co_await changing("awaited", 3);
  co_await a;
  co_await b;
  say("main", var.get());
}

Coro<> tasks_share_a_context_that_is_given() {
  Context shared = copy_context();
  auto a = create_task(changing("a", 1), {.context = &shared});
  auto b = create_task(changing("b", 2), {.context = &shared});
  co_await a;
  co_await b;
  say("main", var.get(), "shared", shared.run([] { return var.get(); }));
}

Coro<> callbacks_run_in_a_copy_of_the_context() {
  Loop& loop = get_running_loop();
  var.set(1);
  loop.call_soon([] {
    say("soon", var.get());
    var.set(5);
  });
  loop.call_later(Seconds(1), [] { say("later", var.get()); });
  Context given = copy_context();
  loop.call_soon([] { var.set(6); }, &given);
  auto task = create_task(sleep(1));
  task.add_done_callback([](const auto&) { say("done", var.get()); });
  var.set(2);
  co_await sleep(2);
  say("main", var.get(), "given", given.run([] { return var.get(); }));
}

ContextVar<int> without_default("var");

Coro<> tokens_put_back_what_was() {
  auto& v = without_default;
  attempt("unset", [&] { (void)v.get(); });
  auto one = v.set(1);
  auto two = v.set(2);
  v.reset(two);
  say(v.get());
  attempt("twice", [&] { v.reset(two); });
  attempt("elsewhere", [&] { copy_context().run([&] { v.reset(one); }); });
  v.reset(one);
  attempt("unset", [&] { (void)v.get(); });
  co_return;
}

AsyncGenerator<int> counting(std::string who, int end, double clean_up = 0) {
  std::exception_ptr error;
  try {
    for (int i = 0; i < end; ++i) {
      co_yield i;
      co_await sleep(1);
    }
    say(who, "ends");
  } catch (const GeneratorExit&) {
    say(who, "is closed");
    error = std::current_exception();
  } catch (const CancelledError&) {
    say(who, "gets", kind_now());
    error = std::current_exception();
  }
  if (clean_up > 0) co_await sleep(clean_up);
  say(who, "is clean");
  if (error) std::rethrow_exception(error);
}

// anext(gen) of Python, which may be handed around; with a default of None.
Coro<> told_next(std::string who, AsyncGenerator<int>& gen) {
  try {
    auto value = co_await gen.next();
    if (value)
      say(who, "returned", *value);
    else
      say(who, "returned");
  } catch (...) {
    say(who, "threw", kind_now());
  }
}

Coro<> a_generator_runs_to_its_end() {
  auto gen = counting("gen", 2);
  while (auto i = co_await gen.next()) say("main", *i);
}

Coro<> a_generator_is_closed_early() {
  auto gen = counting("gen", 5, 1);
  auto a = co_await gen.next();
  auto b = co_await gen.next();
  say(*a, *b);
  co_await gen.aclose();
  say("closed");
  co_await told_next("next", gen);
  co_await gen.aclose();
}

Coro<> a_generator_that_is_dropped_is_closed_by_the_loop() {
  {
    auto gen = counting("gen", 5, 1);
    auto a = co_await gen.next();
    say(*a);
  }
  say("dropped");
  co_await sleep(3);
}

Coro<> a_generator_in_a_cancelled_task() {
  auto task = create_task([]() -> Coro<> {
    auto gen = counting("gen", 9, 1);
    while (auto i = co_await gen.next()) say("consumer", *i);
  });
  co_await sleep(1.5);
  task.cancel("consumer");
  co_await told("main", task);
}

Coro<> a_consumer_that_fails_leaves_its_generator_to_the_loop() {
  auto consume = []() -> Coro<> {
    auto gen = counting("gen", 9, 1);
    co_await gen.next();
    throw Oops("consumer");
  };
  co_await told("main", create_task(consume));
  co_await sleep(2);
}

Coro<> a_generator_that_throws() {
  auto bad = []() -> AsyncGenerator<int> {
    co_yield 1;
    throw Oops("gen");
  };
  auto gen = bad();
  auto a = co_await gen.next();
  say(*a);
  co_await told_next("next", gen);
  co_await told_next("after", gen);
}

Coro<> a_generator_under_a_timeout() {
  auto gen = counting("gen", 9);
  auto consume = [&]() -> Coro<> {
    co_await timeout(Seconds(2.5), [&](Timeout&) -> Coro<> {
      while (auto i = co_await gen.next()) say("main", *i);
    });
  };
  co_await told("timeout", consume());
  co_await told_next("next", gen);
}

Coro<> a_generator_that_ignores_its_exit() {
  auto deaf = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      say("ignored");
    }
    co_yield 2;
  };
  auto gen = deaf();
  co_await gen.next();
  co_await told("aclose", gen.aclose());
}

Coro<> two_tasks_in_one_generator() {
  auto gen = counting("gen", 3);
  co_await create_task(told_next("first", gen));
  auto task = create_task(told_next("second", gen));
  co_await sleep(0.5);
  co_await told_next("third", gen);
  co_await task;
  co_await gen.aclose();
}

}  // namespace

std::vector<Scenario> context_scenarios() {
  return {
      DIFFERENTIAL_MAIN(a_task_has_a_context_of_its_own),
      DIFFERENTIAL_MAIN(tasks_share_a_context_that_is_given),
      DIFFERENTIAL_MAIN(callbacks_run_in_a_copy_of_the_context),
      DIFFERENTIAL_MAIN(tokens_put_back_what_was),
      DIFFERENTIAL_MAIN(a_generator_runs_to_its_end),
      DIFFERENTIAL_MAIN(a_generator_is_closed_early),
      DIFFERENTIAL_MAIN(a_generator_that_is_dropped_is_closed_by_the_loop),
      DIFFERENTIAL_MAIN(a_generator_in_a_cancelled_task),
      DIFFERENTIAL_MAIN(a_consumer_that_fails_leaves_its_generator_to_the_loop),
      DIFFERENTIAL_MAIN(a_generator_that_throws),
      DIFFERENTIAL_MAIN(a_generator_under_a_timeout),
      DIFFERENTIAL_MAIN(a_generator_that_ignores_its_exit),
      DIFFERENTIAL_MAIN(two_tasks_in_one_generator),
  };
}

}  // namespace differential
