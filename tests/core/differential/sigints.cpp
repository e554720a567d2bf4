// SPDX-License-Identifier: MIT
// SIGINT to a run, in whatever main is in. The same in Python: sigints.py.
#include "trace.hpp"

#include <csignal>

using namespace corun;

namespace differential {
namespace {

void interrupt() { std::raise(SIGINT); }
void interrupt_after(double seconds) { get_running_loop().call_later(Seconds(seconds), interrupt); }

Coro<> sigint_cancels_main() {
  interrupt_after(1);
  co_await sleeper("main", 5);
}

Coro<int> sigint_is_swallowed() {
  interrupt_after(1);
  co_await told("sleep", sleep(5));
  say(current_task().cancelling());
  co_await sleep(1);
  co_return 7;
}

Coro<> sigint_becomes_another_error() {
  interrupt_after(1);
  co_await spiteful("main", 5);
}

Coro<int> sigint_in_synchronous_code() {
  interrupt();
  say("goes on");
  co_await told("sleep", sleep(5));
  co_return 1;
}

Coro<> sigint_and_an_uncancel() {
  interrupt_after(1);
  try {
    co_await sleep(5);
  } catch (const CancelledError&) {
    say(current_task().uncancel());
    throw;
  }
}

Coro<> sigint_and_a_cancellation() {
  get_running_loop().call_later(Seconds(1), [me = current_task()] {
    me.cancel("sibling");
    interrupt();
  });
  co_await sleeper("main", 5);
}

Coro<> sigint_swallowed_and_a_later_cancellation() {
  interrupt_after(1);
  co_await told("first", sleep(5));
  current_task().cancel("own");
  co_await sleep(1);
}

Coro<> sigint_twice() {
  interrupt_after(1);
  interrupt_after(2);
  co_await cleaning("main", 5, 5);
}

void sigint_twice_and_main_goes_on() {
  auto main = []() -> Coro<int> {
    interrupt_after(1);
    interrupt_after(2);
    co_await stubborn("main", 5, 3);
    co_return 5;
  };
  Runner runner(options());
  attempt("first", [&] { return runner.run(main()); });
  attempt("second", [&] { runner.run(sleep(3)); });
}

void sigint_in_each_of_two_runs() {
  auto main = []() -> Coro<> {
    interrupt_after(1);
    co_await sleep(5);
  };
  Runner runner(options());
  attempt("first", [&] { return runner.run(main()); });
  attempt("second", [&] { return runner.run(main()); });
}

Coro<> sigint_in_a_group() {
  interrupt_after(1);
  co_await task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper("a", 5));
    group.create_task(cleaning("b", 5, 1));
    co_return;
  });
}

Coro<> sigint_in_a_group_that_fails_in_its_clean_up() {
  interrupt_after(1);
  co_await task_group([](TaskGroup& group) -> Coro<> {
    group.create_task(spiteful("a", 5));
    co_return;
  });
}

Coro<> sigint_under_a_timeout() {
  interrupt_after(1);
  co_await timeout(Seconds(3), [](Timeout&) -> Coro<> { return sleeper("main", 5); });
}

Coro<> sigint_in_the_clean_up_of_a_timeout() {
  interrupt_after(3);
  co_await timeout(Seconds(2), [](Timeout&) -> Coro<> { return cleaning("main", 5, 2); });
}

Coro<> sigint_and_a_shield() {
  interrupt_after(1);
  auto inner = create_task(cleaning("inner", 5, 1));
  co_await shield(inner);
}

Coro<> sigint_in_gather() {
  interrupt_after(1);
  co_await gather(sleeper("a", 5), stubborn("b", 5, 1));
}

Coro<> sigint_and_leftovers() {
  create_task(cleaning("leftover", 9, 1));
  create_task(spiteful("spiteful", 9));
  interrupt_after(1);
  co_await sleeper("main", 5);
}

Coro<> sigint_while_a_child_is_awaited() {
  interrupt_after(1);
  auto child = create_task(stubborn("child", 5, 1, 3));
  int value = co_await child;
  say(value, current_task().cancelling());
  co_await told("later", sleep(1));
}

AsyncGenerator<int> slow_numbers() {
  std::exception_ptr error;
  try {
    co_yield 1;
    co_await sleep(5);
  } catch (...) {
    error = std::current_exception();
  }
  co_await sleep(1);
  say("generator is clean");
  if (error) std::rethrow_exception(error);
}

Coro<> sigint_in_a_generator() {
  interrupt_after(1);
  auto gen = slow_numbers();
  while (auto i = co_await gen.next()) say(*i);
}

Coro<int> sigint_has_a_handler_of_mains_own() {
  get_running_loop().add_signal_handler(SIGINT, [] { say("handled"); });
  get_running_loop().call_soon(interrupt);
  co_await sleep(0);
  co_await sleep(0);
  co_await to_thread([] {});
  co_return 1;
}

}  // namespace

std::vector<Scenario> signal_scenarios() {
  return {
      DIFFERENTIAL_MAIN(sigint_cancels_main),
      DIFFERENTIAL_MAIN(sigint_is_swallowed),
      DIFFERENTIAL_MAIN(sigint_becomes_another_error),
      DIFFERENTIAL_MAIN(sigint_in_synchronous_code),
      DIFFERENTIAL_MAIN(sigint_and_an_uncancel),
      DIFFERENTIAL_MAIN(sigint_and_a_cancellation),
      DIFFERENTIAL_MAIN(sigint_swallowed_and_a_later_cancellation),
      DIFFERENTIAL_MAIN(sigint_twice),
      DIFFERENTIAL_PLAIN(sigint_twice_and_main_goes_on),
      DIFFERENTIAL_PLAIN(sigint_in_each_of_two_runs),
      DIFFERENTIAL_MAIN(sigint_in_a_group),
      DIFFERENTIAL_MAIN(sigint_in_a_group_that_fails_in_its_clean_up),
      DIFFERENTIAL_MAIN(sigint_under_a_timeout),
      DIFFERENTIAL_MAIN(sigint_in_the_clean_up_of_a_timeout),
      DIFFERENTIAL_MAIN(sigint_and_a_shield),
      DIFFERENTIAL_MAIN(sigint_in_gather),
      DIFFERENTIAL_MAIN(sigint_and_leftovers),
      DIFFERENTIAL_MAIN(sigint_while_a_child_is_awaited),
      DIFFERENTIAL_MAIN(sigint_in_a_generator),
      DIFFERENTIAL_MAIN(sigint_has_a_handler_of_mains_own),
  };
}

}  // namespace differential
