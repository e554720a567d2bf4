// SPDX-License-Identifier: MIT
// Tasks, cancellation, futures. The same in Python: tasks.py.
#include "trace.hpp"

using namespace corun;

namespace differential {
namespace {

Coro<> cancel_reaches_the_await() {
  auto task = create_task(sleeper("child", 5));
  co_await sleep(1);
  bool asked = task.cancel("enough");
  say("cancel", asked, task.cancelling(), task.done());
  co_await told("main", task);
  say(task.cancelled(), task.cancel());
}

Coro<> cancel_before_the_first_step() {
  auto task = create_task(sleeper("child", 5));
  task.cancel();
  co_await told("main", task);
}

Coro<> cancel_is_counted_and_delivered_once() {
  auto task = create_task([]() -> Coro<> {
    co_await told("first", sleep(5));
    say("requests", current_task().cancelling());
    co_await told("second", sleep(1));
  });
  co_await sleep(1);
  task.cancel("a");
  task.cancel("b");
  co_await told("main", task);
}

Coro<> cancelled_twice(Task<> task) {
  co_await sleep(1);
  task.cancel("a");
  task.cancel("b");
  co_await told("main", task);
  say(task.cancelling());
}

Coro<> waiting(Task<> task) { co_await wait(task); }

Coro<> cancel_twice_in_each_kind_of_wait() {
  Future<> future;
  auto child = create_task(sleeper("child", 9));
  Lock lock;
  co_await lock.acquire();
  Queue<int> queue;
  co_await cancelled_twice(create_task(told("future", future)));
  co_await cancelled_twice(create_task(told("child", child)));
  co_await cancelled_twice(create_task(told("lock", lock.acquire())));
  co_await cancelled_twice(create_task(told("queue", queue.get())));
  co_await cancelled_twice(create_task(told("wait", waiting(create_task(sleep(9))))));
}

Coro<> uncancel_withdraws_what_was_not_delivered() {
  auto me = current_task();
  me.cancel();
  me.cancel();
  int left[3];
  for (int& each : left) each = me.uncancel();
  say(left[0], left[1], left[2]);
  co_await told("sleep", sleep(1));
}

Coro<> uncancel_of_one_leaves_the_other() {
  auto me = current_task();
  me.cancel();
  me.cancel();
  say(me.uncancel());
  co_await told("sleep", sleep(1));
  say(me.cancelling());
}

Coro<> cancel_passes_through_tasks() {
  auto task = create_task([]() -> Coro<> {
    auto inner = create_task(sleeper("inner", 5));
    co_await told("middle", inner);
    say("inner cancelled", inner.cancelled(), inner.cancelling());
  });
  co_await sleep(1);
  task.cancel("down");
  co_await told("main", task);
}

Coro<> an_awaited_child_swallows_the_cancellation() {
  auto task = create_task([]() -> Coro<> {
    int value = co_await create_task(stubborn("inner", 5, 1, 7));
    say("middle got", value, current_task().cancelling());
    co_await told("later", sleep(1));
  });
  co_await sleep(1);
  task.cancel();
  co_await told("main", task);
  say(task.cancelled());
}

Coro<> cancel_in_the_last_step() {
  auto body = []() -> Coro<int> {
    current_task().cancel("late");
    co_return 1;
  };
  co_await told("main", create_task(body));
}

Coro<> a_cancelled_error_of_ones_own() {
  auto task = create_task([]() -> Coro<> {
    co_await sleep(1);
    throw CancelledError("mine");
  });
  co_await told("main", task);
  say(task.cancelled(), task.cancelling(), current_task().cancelling());
}

Coro<> awaiting_a_cancelled_task_counts_nothing() {
  auto task = create_task(sleeper("child", 5));
  co_await sleep(0);
  task.cancel();
  co_await told("main", task);
  co_await told("again", task);
  say(current_task().cancelling());
}

Coro<> cancel_meets_a_finished_future() {
  Future<int> future;
  auto task = create_task([&]() -> Coro<> { co_await told("body", future); });
  co_await sleep(1);
  future.set_result(3);
  task.cancel("crossed");
  co_await told("main", task);
  say(future.result());
}

Coro<> cancel_meets_a_sleep_that_is_over() {
  auto task = create_task(told("body", sleep(1)));
  co_await sleep(0);
  get_running_loop().call_later(Seconds(1), [&] { task.cancel("crossed"); });
  co_await told("main", task);
}

Coro<> cancel_meets_a_finished_child() {
  auto inner = create_task(sleeper("inner", 1, 3));
  auto task = create_task(told("body", inner));
  inner.add_done_callback([&](const auto&) { task.cancel("crossed"); });
  co_await told("main", task);
  say(inner.result());
}

Coro<> many_await_one_task() {
  auto task = create_task(sleeper("child", 2, 5));
  auto first = create_task(told("first", task));
  auto second = create_task(told("second", task));
  co_await sleep(1);
  co_await told("main", task);
  co_await first;
  co_await second;
}

Coro<> cancelling_one_of_many_cancels_the_task() {
  auto task = create_task(sleeper("child", 2, 5));
  auto first = create_task(told("first", task));
  auto second = create_task(told("second", task));
  co_await sleep(1);
  first.cancel("first");
  co_await told("main", task);
  co_await first;
  co_await second;
}

Coro<> a_task_that_awaits_itself() {
  co_await told("main", create_task([]() -> Coro<> { co_await told("body", current_task()); }));
}

Coro<> steps_and_callbacks_take_turns() {
  Loop& loop = get_running_loop();
  auto child = [](std::string who) -> Coro<> {
    for (int i = 0; i < 3; ++i) {
      say(who, i);
      co_await sleep(0);
    }
  };
  auto a = create_task(child("a"));
  loop.call_soon([] { say("callback 1"); });
  auto b = create_task(child("b"));
  loop.call_soon([&] { loop.call_soon([] { say("callback 2"); }); });
  loop.call_later(Seconds(0), [] { say("timer"); });
  auto handle = loop.call_soon([] { say("never"); });
  handle.cancel();
  co_await a;
  co_await b;
}

Coro<> done_callbacks_come_in_their_order() {
  auto task = create_task(sleeper("child", 1, 1));
  task.add_done_callback([](const auto& t) { say("one", t.result()); });
  create_task(told("waiter", task));
  co_await sleep(0);
  task.add_done_callback([](const auto& t) { say("two", t.result()); });
  co_await told("main", task);
  task.add_done_callback([](const auto& t) { say("three", t.result()); });
  say("main goes on");
  co_await sleep(0);
}

Coro<> a_callback_that_throws_is_reported() {
  auto bad = [] { throw Oops("callback"); };
  Loop& loop = get_running_loop();
  loop.call_soon(bad);
  loop.call_later(Seconds(1), [] { say("the loop goes on"); });
  auto task = create_task(sleeper("child", 1));
  task.add_done_callback([&](const auto&) { bad(); });
  co_await sleep(2);
}

Coro<> an_error_that_nobody_reads() {
  std::optional task = create_task(failing("child", 1));
  co_await sleep(2);
  task.reset();
  say("dropped");
  co_await sleep(1);
}

Coro<> an_error_that_is_read_is_not_reported() {
  std::optional task = create_task(failing("child", 1));
  co_await sleep(2);
  say(kind(task->exception()));
  task.reset();
  co_await sleep(1);
}

Coro<> futures_in_the_wrong_state() {
  Future<int> future;
  attempt("result", [&] { (void)future.result(); });
  attempt("exception", [&] { (void)future.exception(); });
  future.set_result(1);
  attempt("twice", [&] { future.set_result(2); });
  say(future.cancel(), future.result());
  future = Future<int>();
  bool asked = future.cancel("why");
  say(asked, future.cancelled());
  attempt("result", [&] { (void)future.result(); });
  attempt("set", [&] { future.set_result(2); });
  auto task = create_task(sleep(1));
  attempt("task", [&] { task.result(); });
  co_await task;
}

Coro<> a_future_wakes_all_in_order() {
  Future<int> future;
  std::vector<Task<>> waiters;
  for (int i = 0; i < 3; ++i) waiters.push_back(create_task(told("waiter " + std::to_string(i), future)));
  co_await sleep(1);
  future.set_exception(std::make_exception_ptr(Oops("set")));
  say("set");
  for (auto& waiter : waiters) co_await waiter;
}

Coro<> an_eager_task_that_ends_at_once() {
  auto child = []() -> Coro<int> {
    say("child", current_task().name());
    co_return 4;
  };
  auto task = create_task(child, {.name = "eager", .eager_start = true});
  say(task.done(), task.result(), task.cancel());
  say(all_tasks().size(), current_task() == task);
  co_return;
}

ContextVar<int> eager_var("var", 0);

Coro<> an_eager_task_that_suspends() {
  auto child = []() -> Coro<> {
    eager_var.set(1);
    co_await told("child", sleeper("inner", 5));
  };
  auto task = create_task(child, {.eager_start = true});
  say("created", task.done(), eager_var.get());
  co_await sleep(1);
  task.cancel("eager");
  co_await told("main", task);
}

Coro<> an_eager_task_that_fails() {
  auto child = []() -> Coro<> {
    throw Oops("child");
    co_return;
  };
  auto task = create_task(child, {.eager_start = true});
  say(task.done());
  co_await told("main", task);
}

}  // namespace

std::vector<Scenario> task_scenarios() {
  return {
      DIFFERENTIAL_MAIN(cancel_reaches_the_await),
      DIFFERENTIAL_MAIN(cancel_before_the_first_step),
      DIFFERENTIAL_MAIN(cancel_is_counted_and_delivered_once),
      DIFFERENTIAL_MAIN(cancel_twice_in_each_kind_of_wait),
      DIFFERENTIAL_MAIN(uncancel_withdraws_what_was_not_delivered),
      DIFFERENTIAL_MAIN(uncancel_of_one_leaves_the_other),
      DIFFERENTIAL_MAIN(cancel_passes_through_tasks),
      DIFFERENTIAL_MAIN(an_awaited_child_swallows_the_cancellation),
      DIFFERENTIAL_MAIN(cancel_in_the_last_step),
      DIFFERENTIAL_MAIN(a_cancelled_error_of_ones_own),
      DIFFERENTIAL_MAIN(awaiting_a_cancelled_task_counts_nothing),
      DIFFERENTIAL_MAIN(cancel_meets_a_finished_future),
      DIFFERENTIAL_MAIN(cancel_meets_a_sleep_that_is_over),
      DIFFERENTIAL_MAIN(cancel_meets_a_finished_child),
      DIFFERENTIAL_MAIN(many_await_one_task),
      DIFFERENTIAL_MAIN(cancelling_one_of_many_cancels_the_task),
      DIFFERENTIAL_MAIN(a_task_that_awaits_itself),
      DIFFERENTIAL_MAIN(steps_and_callbacks_take_turns),
      DIFFERENTIAL_MAIN(done_callbacks_come_in_their_order),
      DIFFERENTIAL_MAIN(a_callback_that_throws_is_reported),
      DIFFERENTIAL_MAIN(an_error_that_nobody_reads),
      DIFFERENTIAL_MAIN(an_error_that_is_read_is_not_reported),
      DIFFERENTIAL_MAIN(futures_in_the_wrong_state),
      DIFFERENTIAL_MAIN(a_future_wakes_all_in_order),
      DIFFERENTIAL_MAIN(an_eager_task_that_ends_at_once),
      DIFFERENTIAL_MAIN(an_eager_task_that_suspends),
      DIFFERENTIAL_MAIN(an_eager_task_that_fails),
  };
}

}  // namespace differential
