// SPDX-License-Identifier: MIT
// shield, gather, wait, as_completed, wait_for. The same in Python: combinators.py.
#include "trace.hpp"

#include <algorithm>

using namespace corun;

namespace differential {
namespace {

Coro<> wait_for_expires_and_waits_for_the_end() {
  co_await told("main", wait_for(cleaning("body", 5, 2), Seconds(1)));
}

Coro<> wait_for_a_task_that_swallows() {
  co_await told("main", wait_for(create_task(stubborn("body", 5, 2, 4)), Seconds(1)));
}

Coro<> wait_for_nothing() {
  co_await told("coroutine", wait_for(sleeper("body", 1), Seconds(0)));
  auto task = create_task(sleeper("task", 1, 3));
  co_await task;
  co_await told("done", wait_for(task, Seconds(0)));
  task = create_task(stubborn("stubborn", 5, 1, 3));
  co_await sleep(0);
  co_await told("task", wait_for(task, Seconds(0)));
}

Coro<> wait_for_is_cancelled() {
  auto task = create_task(wait_for(cleaning("body", 5, 1), Seconds(3)));
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
}

Coro<> shield_keeps_what_it_shields() {
  auto inner = create_task(sleeper("inner", 3, 5));
  auto task = create_task(told("task", shield(inner)));
  co_await sleep(1);
  task.cancel("outside");
  co_await task;
  co_await told("main", inner);
}

Coro<> shield_of_what_is_cancelled() {
  auto inner = create_task(sleeper("inner", 3));
  auto task = create_task(told("task", shield(inner)));
  co_await sleep(1);
  inner.cancel("inner");
  co_await task;
  say(task.cancelled());
}

Coro<> shield_of_what_fails() { co_await told("main", shield(create_task(failing("inner", 1)))); }

Coro<> shield_whose_inner_fails_afterwards() {
  auto inner = create_task(failing("inner", 2));
  auto task = create_task(told("task", shield(inner)));
  co_await sleep(1);
  task.cancel("outside");
  co_await task;
  co_await sleep(2);
}

Coro<> shield_under_a_timeout() {
  auto inner = create_task(sleeper("inner", 3, 5));
  co_await told("main", wait_for(shield(inner), Seconds(1)));
  co_await told("main", inner);
}

template <class A>
Coro<std::string> told_values(A awaitable) {
  auto values = co_await std::move(awaitable);
  std::string text;
  std::apply([&](auto... each) { ((text += (text.empty() ? "" : " ") + std::to_string(each)), ...); },
             values);
  co_return text;
}

// gather() of anything as a Coro<>, for told().
template <class A>
Coro<> valueless(A awaitable) {
  co_await std::move(awaitable);
}

Coro<> gather_in_the_order_of_its_arguments() {
  auto x = sleeper("x", 3, 1);
  auto y = sleeper("y", 1, 2);
  auto z = sleeper("z", 2, 3);
  co_await told("a", told_values(gather(std::move(x), std::move(y), std::move(z))));
}

Coro<> gather_gives_the_first_error_and_the_others_go_on() {
  auto b = create_task(sleeper("b", 2));
  auto c = create_task(failing("c", 3));
  co_await told("main", valueless(gather(failing("a", 1), b, c)));
  say(b.done());
  co_await told("b", b);
  co_await told("c", c);
}

Coro<> gather_cancelled_cancels_all() {
  auto task = create_task(
      []() -> Coro<> { co_await gather(sleeper("a", 5), cleaning("b", 5, 1), stubborn("c", 5, 2)); });
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
}

Coro<> gather_with_a_cancelled_child() {
  auto a = create_task(sleeper("a", 5));
  auto b = create_task(sleeper("b", 3));
  get_running_loop().call_later(Seconds(1), [a] { a.cancel(); });
  co_await told("main", valueless(gather(a, b)));
  co_await told("b", b);
}

template <class T>
std::string text_of(const Outcome<T>& outcome) {
  if (outcome.exception()) return kind(outcome.exception());
  if constexpr (!std::is_void_v<T>)
    return std::to_string(outcome.value());
  else
    return "None";
}

Coro<> gather_of_outcomes() {
  auto a = create_task(sleeper("a", 5));
  get_running_loop().call_later(Seconds(1), [a] { a.cancel(); });
  auto [x, y, z] = co_await gather_outcomes(a, failing("b", 2), sleeper("c", 3, 7));
  say(text_of(x), text_of(y), text_of(z));
}

Coro<> gather_of_outcomes_cancelled() {
  auto task = create_task(told("task", valueless(gather_outcomes(sleeper("a", 5), spiteful("b", 5)))));
  co_await sleep(1);
  task.cancel("outside");
  co_await task;
}

Coro<> gather_of_one_task_twice() {
  auto a = create_task(sleeper("a", 1, 1));
  co_await told("main", told_values(gather(a, a)));
}

Coro<> gather_under_a_timeout() {
  auto body = [](Timeout&) -> Coro<> { co_await gather(sleeper("a", 1), cleaning("b", 5, 1)); };
  co_await told("main", timeout(Seconds(2), body));
}

std::string names(const std::vector<Task<>>& tasks) {
  std::vector<std::string> sorted;
  for (const auto& task : tasks) sorted.push_back(task.name());
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const auto& name : sorted) text += (text.empty() ? "" : " ") + name;
  return text;
}

Coro<WaitSets<void>> said_sets(Coro<WaitSets<void>> awaitable) {
  auto sets = co_await std::move(awaitable);
  say("done:", names(sets.done), "pending:", names(sets.pending));
  co_return sets;
}

Coro<> wait_for_all_of_several() {
  auto a = create_task(sleeper("a", 1), {.name = "a"});
  auto b = create_task(failing("b", 2), {.name = "b"});
  co_await said_sets(wait(a, b));
  say(kind(b.exception()));
}

Coro<> wait_for_the_first() {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(sleeper("a", 2), {.name = "a"}));
  tasks.push_back(create_task(sleeper("b", 1), {.name = "b"}));
  tasks.push_back(create_task(sleeper("c", 1), {.name = "c"}));
  auto sets = co_await said_sets(wait(tasks, {.return_when = ReturnWhen::first_completed}));
  co_await said_sets(wait(sets.pending));
}

Coro<> wait_for_the_first_exception() {
  auto a = create_task(sleeper("a", 1), {.name = "a"});
  auto b = create_task(failing("b", 2), {.name = "b"});
  auto c = create_task(sleeper("c", 3), {.name = "c"});
  std::vector<Task<>> tasks{a, b, c};
  co_await said_sets(wait(tasks, {.return_when = ReturnWhen::first_exception}));
  say(kind(b.exception()));
  co_await c;
}

Coro<> wait_for_the_first_exception_but_it_is_a_cancellation() {
  auto a = create_task(sleeper("a", 3), {.name = "a"});
  auto b = create_task(sleeper("b", 5), {.name = "b"});
  get_running_loop().call_later(Seconds(1), [b] { b.cancel(); });
  std::vector<Task<>> tasks{a, b};
  co_await said_sets(wait(tasks, {.return_when = ReturnWhen::first_exception}));
}

Coro<> wait_with_a_timeout() {
  auto a = create_task(sleeper("a", 1), {.name = "a"});
  auto b = create_task(sleeper("b", 3), {.name = "b"});
  std::vector<Task<>> tasks{a, b};
  co_await said_sets(wait(tasks, {.timeout = std::chrono::seconds(2)}));
  co_await b;
}

Coro<> wait_is_cancelled() {
  auto a = create_task(sleeper("a", 3), {.name = "a"});
  auto task = create_task(valueless(said_sets(wait(a))));
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
  co_await told("a", a);
}

template <class T>
auto index_of(const std::vector<Task<T>>& tasks, const Task<T>& task) {
  return std::find(tasks.begin(), tasks.end(), task) - tasks.begin();
}

Coro<> as_completed_in_the_order_of_the_ends() {
  std::vector<Task<int>> tasks;
  tasks.push_back(create_task(sleeper("a", 3, 1)));
  tasks.push_back(create_task(sleeper("b", 1, 2)));
  tasks.push_back(create_task(sleeper("c", 2, 3)));
  auto gen = as_completed(tasks);
  while (auto task = co_await gen.next()) say("main", task->result(), index_of(tasks, *task));
}

Coro<> as_completed_with_a_failure() {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(sleeper("a", 2)));
  tasks.push_back(create_task(failing("b", 1)));
  auto gen = as_completed(tasks);
  while (auto task = co_await gen.next()) co_await told("main", *task);
}

Coro<> as_completed_is_out_of_time() {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(sleeper("a", 1)));
  tasks.push_back(create_task(sleeper("b", 5)));
  auto body = [&]() -> Coro<> {
    auto gen = as_completed(tasks, std::chrono::seconds(2));
    while (auto task = co_await gen.next()) say("one", index_of(tasks, *task));
  };
  co_await told("main", body());
  say(tasks[1].done());
  tasks[1].cancel();
  co_await told("b", tasks[1]);
}

Coro<> as_completed_is_cancelled() {
  std::vector<Task<>> tasks;
  tasks.push_back(create_task(sleeper("a", 1)));
  tasks.push_back(create_task(sleeper("b", 5)));
  auto task = create_task([&]() -> Coro<> {
    auto gen = as_completed(tasks);
    while (auto one = co_await gen.next()) say("one", index_of(tasks, *one));
  });
  co_await sleep(2);
  task.cancel("outside");
  co_await told("main", task);
  say(tasks[1].done());
}

}  // namespace

std::vector<Scenario> combinator_scenarios() {
  return {
      DIFFERENTIAL_MAIN(wait_for_expires_and_waits_for_the_end),
      DIFFERENTIAL_MAIN(wait_for_a_task_that_swallows),
      DIFFERENTIAL_MAIN(wait_for_nothing),
      DIFFERENTIAL_MAIN(wait_for_is_cancelled),
      DIFFERENTIAL_MAIN(shield_keeps_what_it_shields),
      DIFFERENTIAL_MAIN(shield_of_what_is_cancelled),
      DIFFERENTIAL_MAIN(shield_of_what_fails),
      DIFFERENTIAL_MAIN(shield_whose_inner_fails_afterwards),
      DIFFERENTIAL_MAIN(shield_under_a_timeout),
      DIFFERENTIAL_MAIN(gather_in_the_order_of_its_arguments),
      DIFFERENTIAL_MAIN(gather_gives_the_first_error_and_the_others_go_on),
      DIFFERENTIAL_MAIN(gather_cancelled_cancels_all),
      DIFFERENTIAL_MAIN(gather_with_a_cancelled_child),
      DIFFERENTIAL_MAIN(gather_of_outcomes),
      DIFFERENTIAL_MAIN(gather_of_outcomes_cancelled),
      DIFFERENTIAL_MAIN(gather_of_one_task_twice),
      DIFFERENTIAL_MAIN(gather_under_a_timeout),
      DIFFERENTIAL_MAIN(wait_for_all_of_several),
      DIFFERENTIAL_MAIN(wait_for_the_first),
      DIFFERENTIAL_MAIN(wait_for_the_first_exception),
      DIFFERENTIAL_MAIN(wait_for_the_first_exception_but_it_is_a_cancellation),
      DIFFERENTIAL_MAIN(wait_with_a_timeout),
      DIFFERENTIAL_MAIN(wait_is_cancelled),
      DIFFERENTIAL_MAIN(as_completed_in_the_order_of_the_ends),
      DIFFERENTIAL_MAIN(as_completed_with_a_failure),
      DIFFERENTIAL_MAIN(as_completed_is_out_of_time),
      DIFFERENTIAL_MAIN(as_completed_is_cancelled),
  };
}

}  // namespace differential
