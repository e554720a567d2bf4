// SPDX-License-Identifier: MIT
// Task groups and timeouts. The same in Python: groups.py.
#include "trace.hpp"

using namespace corun;

namespace differential {
namespace {

Coro<> group_waits_for_its_children() {
  auto body = []() -> Coro<int> {
    std::optional<Task<int>> a;
    co_await task_group([&](TaskGroup& group) -> Coro<> {
      a = group.create_task(sleeper("a", 2, 1));
      group.create_task(sleeper("b", 1));
      say("body ends");
      co_return;
    });
    co_return a->result();
  };
  co_await told("main", body());
}

Coro<> group_child_fails() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(failing("a", 1));
    group.create_task(sleeper("b", 5));
    group.create_task(cleaning("c", 5, 1));
    co_await told("body", sleep(9));
  };
  co_await told("main", task_group(body));
  say(current_task().cancelling());
}

Coro<> group_body_fails() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper("a", 5));
    co_await sleep(1);
    throw Oops("body");
  };
  co_await told("main", task_group(body));
}

Coro<> group_with_two_failures() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(failing("a", 1));
    group.create_task(spiteful("b", 5));
    co_await sleep(0.5);
    throw Oops("body");
  };
  co_await told("main", task_group(body));
}

Coro<> group_cancelled_from_outside() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper("a", 5));
    group.create_task(cleaning("b", 5, 1));
    co_return;
  };
  auto task = create_task(task_group(body));
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
  say(task.cancelling());
}

Coro<> group_cancelled_and_failing_in_its_clean_up() {
  auto task = create_task([]() -> Coro<> {
    auto body = [](TaskGroup& group) -> Coro<> {
      group.create_task(spiteful("a", 5));
      co_return;
    };
    co_await told("outer", task_group(body));
    say(current_task().cancelling());
    co_await told("later", sleep(1));
  });
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
}

Coro<> group_child_cancelled_alone() {
  auto body = [](TaskGroup& group) -> Coro<> {
    auto a = group.create_task(sleeper("a", 5));
    group.create_task(sleeper("b", 2));
    co_await sleep(1);
    a.cancel("alone");
  };
  co_await told("main", task_group(body));
}

Coro<> group_child_swallows() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(failing("a", 1));
    group.create_task(stubborn("b", 5, 2));
    co_return;
  };
  co_await told("main", task_group(body));
}

Coro<> groups_in_groups() {
  auto inner = [](TaskGroup& group) -> Coro<> {
    group.create_task(failing("x", 1));
    group.create_task(sleeper("y", 5));
    co_return;
  };
  auto body = [&](TaskGroup& group) -> Coro<> {
    group.create_task(task_group(inner));
    group.create_task(cleaning("z", 5, 1));
    co_return;
  };
  co_await told("main", task_group(body));
}

Coro<> group_grows_while_it_waits() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task([&]() -> Coro<> {
      co_await sleep(1);
      group.create_task(sleeper("grandchild", 1));
      say("parent ends");
    });
    co_return;
  };
  co_await told("main", task_group(body));
}

Coro<> group_refuses_when_it_is_over() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task([&]() -> Coro<> {
      try {
        co_await sleep(5);
      } catch (const CancelledError&) {
        try {
          group.create_task(sleeper("late", 1));
        } catch (const RuntimeError&) {
          say("late", kind_now());
        }
        throw;
      }
    });
    group.create_task(failing("a", 1));
    co_return;
  };
  co_await told("main", task_group(body));
}

Coro<> group_inside_a_timeout() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(sleeper("a", 5));
    group.create_task(cleaning("b", 5, 1));
    co_return;
  };
  auto limited = [&](Timeout&) -> Coro<> { return task_group(body); };
  co_await told("main", timeout(Seconds(2), limited));
  say(current_task().cancelling());
}

Coro<> group_inside_a_timeout_fails_in_its_clean_up() {
  auto body = [](TaskGroup& group) -> Coro<> {
    group.create_task(spiteful("a", 5));
    co_return;
  };
  auto limited = [&](Timeout&) -> Coro<> { return task_group(body); };
  co_await told("main", timeout(Seconds(2), limited));
  say(current_task().cancelling());
}

Coro<> timeouts_inside_a_group() {
  auto limited = [](std::string who, double seconds) -> Coro<> {
    auto body = [](Timeout&, std::string name) -> Coro<> { return sleeper(name, 3); };
    co_await timeout(Seconds(seconds), body, who);
  };
  auto body = [&](TaskGroup& group) -> Coro<> {
    group.create_task(limited("a", 4));
    group.create_task(limited("b", 2));
    co_return;
  };
  co_await told("main", task_group(body));
}

Coro<> timeout_expires() {
  auto body = [](Timeout&) -> Coro<> { return sleeper("body", 5); };
  co_await told("main", timeout(Seconds(2), body));
  say(current_task().cancelling());
}

Coro<> timeout_does_not_expire() {
  auto body = []() -> Coro<int> {
    bool expired = true;
    int value = co_await timeout(Seconds(2), [&](Timeout& limit) -> Coro<int> {
      int inner = co_await sleeper("body", 1, 3);
      expired = limit.expired();
      co_return inner;
    });
    say(expired);
    co_return value;
  };
  co_await told("main", body());
}

Coro<> timeout_is_swallowed() {
  auto body = []() -> Coro<> {
    co_await timeout(Seconds(2), [](Timeout& limit) -> Coro<> {
      co_await stubborn("body", 5, 1);
      say(limit.expired());
    });
    say(current_task().cancelling());
  };
  co_await told("main", body());
}

Coro<> timeout_meets_another_error() {
  auto body = [](Timeout&) -> Coro<> { return spiteful("body", 5); };
  co_await told("main", timeout(Seconds(2), body));
  say(current_task().cancelling());
}

Coro<> timeout_cancelled_from_outside() {
  auto body = [](Timeout& limit) -> Coro<> {
    try {
      co_await sleeper("body", 5);
    } catch (...) {
      say(limit.expired());
      throw;
    }
  };
  auto task = create_task(timeout(Seconds(2), body));
  co_await sleep(1);
  task.cancel("outside");
  co_await told("main", task);
}

Coro<> timeout_and_a_cancellation_in_its_clean_up() {
  auto body = [](Timeout&) -> Coro<> { return cleaning("body", 5, 2); };
  auto task = create_task(timeout(Seconds(2), body));
  co_await sleep(3);
  task.cancel("outside");
  co_await told("main", task);
}

Coro<> timeout_of_nothing_fires_at_the_first_await() {
  auto body = [](Timeout&) -> Coro<> {
    say("body begins");
    co_await sleeper("body", 1);
  };
  co_await told("main", timeout(Seconds(0), body));
  auto past = [](Timeout&) -> Coro<int> { co_return 1; };
  co_await told("no await", timeout(Seconds(-1), past));
}

Coro<> timeout_rescheduled() {
  auto body = [](Timeout& limit) -> Coro<> {
    Loop& loop = get_running_loop();
    limit.reschedule(loop.time() + std::chrono::seconds(3));
    co_await told("longer", sleep(2));
    limit.reschedule(std::nullopt);
    co_await told("never", sleep(2));
    limit.reschedule(loop.time() - std::chrono::seconds(1));
    co_await sleep(5);
  };
  co_await told("main", timeout(Seconds(1), body));
}

Coro<> timeout_rescheduled_when_it_is_over() {
  auto body = [](Timeout& limit) -> Coro<> {
    try {
      co_await sleep(5);
    } catch (const CancelledError&) {
      try {
        limit.reschedule(std::nullopt);
      } catch (const RuntimeError&) {
        say(kind_now());
      }
      throw;
    }
  };
  co_await told("main", timeout(Seconds(1), body));
}

Coro<> timeouts_nested_the_outer_fires() {
  auto body = [](Timeout& outer) -> Coro<> {
    co_await timeout(Seconds(2), [&](Timeout& inner) -> Coro<> {
      try {
        co_await sleeper("body", 5);
      } catch (...) {
        say("inner", inner.expired(), "outer", outer.expired());
        throw;
      }
    });
  };
  co_await told("main", timeout(Seconds(1), body));
}

Coro<> timeouts_nested_the_inner_fires() {
  auto body = [](Timeout&) -> Coro<> {
    auto inner = [](Timeout&) -> Coro<> { return sleeper("body", 5); };
    co_await told("inner", timeout(Seconds(1), inner));
    co_await sleep(5);
  };
  co_await told("main", timeout(Seconds(2), body));
}

Coro<> timeouts_nested_both_fire() {
  auto inner = [](Timeout&) -> Coro<> { return cleaning("body", 5, 3); };
  auto body = [&](Timeout&) -> Coro<> { return timeout(Seconds(1), inner); };
  co_await told("main", timeout(Seconds(2), body));
  say(current_task().cancelling());
}

}  // namespace

std::vector<Scenario> group_scenarios() {
  return {
      DIFFERENTIAL_MAIN(group_waits_for_its_children),
      DIFFERENTIAL_MAIN(group_child_fails),
      DIFFERENTIAL_MAIN(group_body_fails),
      DIFFERENTIAL_MAIN(group_with_two_failures),
      DIFFERENTIAL_MAIN(group_cancelled_from_outside),
      DIFFERENTIAL_MAIN(group_cancelled_and_failing_in_its_clean_up),
      DIFFERENTIAL_MAIN(group_child_cancelled_alone),
      DIFFERENTIAL_MAIN(group_child_swallows),
      DIFFERENTIAL_MAIN(groups_in_groups),
      DIFFERENTIAL_MAIN(group_grows_while_it_waits),
      DIFFERENTIAL_MAIN(group_refuses_when_it_is_over),
      DIFFERENTIAL_MAIN(group_inside_a_timeout),
      DIFFERENTIAL_MAIN(group_inside_a_timeout_fails_in_its_clean_up),
      DIFFERENTIAL_MAIN(timeouts_inside_a_group),
      DIFFERENTIAL_MAIN(timeout_expires),
      DIFFERENTIAL_MAIN(timeout_does_not_expire),
      DIFFERENTIAL_MAIN(timeout_is_swallowed),
      DIFFERENTIAL_MAIN(timeout_meets_another_error),
      DIFFERENTIAL_MAIN(timeout_cancelled_from_outside),
      DIFFERENTIAL_MAIN(timeout_and_a_cancellation_in_its_clean_up),
      DIFFERENTIAL_MAIN(timeout_of_nothing_fires_at_the_first_await),
      DIFFERENTIAL_MAIN(timeout_rescheduled),
      DIFFERENTIAL_MAIN(timeout_rescheduled_when_it_is_over),
      DIFFERENTIAL_MAIN(timeouts_nested_the_outer_fires),
      DIFFERENTIAL_MAIN(timeouts_nested_the_inner_fires),
      DIFFERENTIAL_MAIN(timeouts_nested_both_fire),
  };
}

}  // namespace differential
