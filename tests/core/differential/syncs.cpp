// SPDX-License-Identifier: MIT
// Locks, semaphores, events, conditions, barriers, queues. The same in Python: syncs.py.
#include "trace.hpp"

using namespace corun;

namespace differential {
namespace {

template <class L>
Coro<> holding(L& what, std::string who, double seconds) {
  co_await what.with([&]() -> Coro<> {
    say(who, "holds");
    co_await sleep(seconds);
  });
  say(who, "lets go");
}

template <class L>
std::vector<Task<>> holders(L& what, const std::string& names, double seconds) {
  std::vector<Task<>> tasks;
  for (char name : names)
    tasks.push_back(create_task(told(std::string(1, name), holding(what, std::string(1, name), seconds))));
  return tasks;
}

Coro<> lock_is_fair() {
  Lock lock;
  auto tasks = holders(lock, "abc", 1);
  co_await sleep(0.5);
  say(lock.locked());
  for (auto& task : tasks) co_await task;
  say(lock.locked());
}

Coro<> lock_of_a_cancelled_waiter_goes_to_the_next() {
  Lock lock;
  auto tasks = holders(lock, "abc", 2);
  co_await sleep(1);
  tasks[1].cancel("b");
  for (auto& task : tasks) co_await task;
}

Coro<> lock_and_a_cancellation_at_the_same_instant() {
  Lock lock;
  co_await lock.acquire();
  auto tasks = holders(lock, "ab", 1);
  co_await sleep(1);
  lock.release();
  tasks[0].cancel("crossed");
  say(lock.locked());
  for (auto& task : tasks) co_await task;
  say(lock.locked());
}

Coro<> lock_is_left_by_a_holder_that_is_cancelled() {
  Lock lock;
  auto tasks = holders(lock, "ab", 2);
  co_await sleep(1);
  tasks[0].cancel("a");
  for (auto& task : tasks) co_await task;
}

Coro<> lock_released_too_often() {
  Lock lock;
  attempt("release", [&] { lock.release(); });
  co_return;
}

Coro<> lock_newcomers_wait_behind_who_was_woken() {
  Lock lock;
  co_await lock.acquire();
  auto first = create_task(told("first", holding(lock, "first", 1)));
  co_await sleep(0);
  lock.release();
  co_await told("newcomer", holding(lock, "newcomer", 1));
  co_await first;
}

Coro<> semaphore_lets_so_many_in() {
  Semaphore semaphore(2);
  auto tasks = holders(semaphore, "abcde", 1);
  co_await sleep(0.5);
  say(semaphore.locked());
  for (auto& task : tasks) co_await task;
}

Coro<> semaphore_and_a_cancellation_at_the_same_instant() {
  Semaphore semaphore(1);
  co_await semaphore.acquire();
  auto tasks = holders(semaphore, "ab", 1);
  co_await sleep(1);
  tasks[0].cancel("crossed");
  semaphore.release();
  for (auto& task : tasks) co_await task;
  say(semaphore.locked());
}

Coro<> semaphore_bounded() {
  BoundedSemaphore semaphore(1);
  attempt("release", [&] { semaphore.release(); });
  attempt("negative", [] { Semaphore negative(-1); });
  co_await semaphore.acquire();
  attempt("release", [&] { semaphore.release(); });
}

Coro<> event_wakes_all() {
  Event event;
  std::vector<Task<>> tasks;
  for (const char* who : {"a", "b", "c"}) tasks.push_back(create_task(told(who, event.wait())));
  co_await sleep(1);
  tasks[1].cancel("b");
  event.set();
  event.clear();
  say(event.is_set());
  for (auto& task : tasks) co_await task;
  event.set();
  co_await told("main", event.wait());
}

Coro<> waiting(Condition& condition, std::string who) {
  co_await condition.with([&]() -> Coro<> {
    say(who, "waits");
    co_await condition.wait();
    say(who, "goes on");
    co_await sleep(1);
  });
}

Coro<> notifying(Condition& condition, int number) {
  co_await condition.with([&]() -> Coro<> {
    condition.notify(static_cast<std::size_t>(number));
    say("notified", number);
    co_return;
  });
}

std::vector<Task<>> waiters(Condition& condition, const std::string& names) {
  std::vector<Task<>> tasks;
  for (char name : names)
    tasks.push_back(create_task(told(std::string(1, name), waiting(condition, std::string(1, name)))));
  return tasks;
}

Coro<> condition_wakes_so_many() {
  Condition condition;
  auto tasks = waiters(condition, "abc");
  co_await sleep(1);
  co_await notifying(condition, 2);
  co_await sleep(3);
  co_await notifying(condition, 1);
  for (auto& task : tasks) co_await task;
  attempt("notify", [&] { condition.notify(); });
  co_await told("wait", condition.wait());
}

Coro<> condition_takes_its_lock_again_when_cancelled() {
  Condition condition;
  auto task = create_task(told("a", waiting(condition, "a")));
  co_await sleep(1);
  auto holder = create_task(told("holder", holding(condition, "holder", 2)));
  co_await sleep(0);
  task.cancel("a");
  co_await task;
  say(condition.locked());
  co_await holder;
}

Coro<> condition_passes_on_what_a_cancelled_one_was_given() {
  Condition condition;
  auto tasks = waiters(condition, "ab");
  co_await sleep(1);
  co_await notifying(condition, 1);
  tasks[0].cancel("crossed");
  for (auto& task : tasks) {
    std::vector<Task<>> one{task};
    co_await wait(one, {.timeout = std::chrono::seconds(3)});
  }
  say(tasks[0].done(), tasks[1].done());
  co_await notifying(condition, 1);
  co_await tasks[1];
}

Coro<> condition_with_a_predicate() {
  Condition condition;
  int value = 0;
  auto task = create_task([&]() -> Coro<> {
    co_await condition.with([&]() -> Coro<> {
      int got = co_await condition.wait_for([&] { return value > 2 ? value : 0; });
      say("consumer", got);
    });
  });
  for (int i = 1; i < 5; ++i) {
    co_await sleep(1);
    co_await condition.with([&]() -> Coro<> {
      value = i;
      condition.notify_all();
      say("set", i);
      co_return;
    });
  }
  co_await task;
}

Coro<> barrier_lets_all_go_at_once() {
  Barrier barrier(3);
  auto a = create_task(told("a", barrier.wait()));
  auto b = create_task(told("b", barrier.wait()));
  co_await sleep(1);
  say(barrier.n_waiting(), barrier.broken());
  co_await told("main", barrier.wait());
  co_await a;
  co_await b;
  say(barrier.n_waiting());
}

Coro<> barrier_goes_on_without_a_cancelled_one() {
  Barrier barrier(2);
  auto a = create_task(told("a", barrier.wait()));
  co_await sleep(1);
  a.cancel("a");
  co_await a;
  say(barrier.n_waiting(), barrier.broken());
  auto b = create_task(told("b", barrier.wait()));
  co_await told("main", barrier.wait());
  co_await b;
}

Coro<> barrier_aborted_and_reset() {
  Barrier barrier(2);
  auto a = create_task(told("a", barrier.wait()));
  co_await sleep(1);
  co_await barrier.abort();
  co_await a;
  say(barrier.broken());
  co_await told("broken", barrier.wait());
  co_await barrier.reset();
  auto b = create_task(told("b", barrier.wait()));
  co_await sleep(1);
  co_await barrier.reset();
  co_await b;
  say(barrier.broken());
}

Coro<> putting(Queue<int>& queue, int first, int end) {
  for (int item = first; item < end; ++item) {
    co_await queue.put(item);
    say("put", item);
  }
}

Coro<> queue_makes_producers_wait() {
  Queue<int> queue(2);
  auto producer = create_task(putting(queue, 0, 5));
  co_await sleep(1);
  say(queue.qsize(), queue.full(), queue.empty());
  for (int i = 0; i < 5; ++i) {
    int item = co_await queue.get();
    say("got", item);
    co_await sleep(1);
  }
  co_await producer;
  say(queue.empty());
}

std::vector<Task<>> consumers_of(Queue<int>& queue, const std::string& names) {
  std::vector<Task<>> tasks;
  for (char name : names) tasks.push_back(create_task(told(std::string(1, name), queue.get())));
  return tasks;
}

Coro<> queue_serves_its_consumers_in_order() {
  Queue<int> queue;
  auto consumers = consumers_of(queue, "abc");
  co_await sleep(1);
  co_await putting(queue, 0, 3);
  for (auto& consumer : consumers) co_await consumer;
}

Coro<> queue_loses_no_item_to_a_cancelled_consumer() {
  Queue<int> queue;
  auto consumers = consumers_of(queue, "ab");
  co_await sleep(1);
  queue.put_nowait(1);
  consumers[0].cancel("crossed");
  for (auto& consumer : consumers) co_await consumer;
  say(queue.qsize());
}

Coro<> queue_loses_no_room_to_a_cancelled_producer() {
  Queue<int> queue(1);
  queue.put_nowait(0);
  auto a = create_task(told("a", putting(queue, 1, 2)));
  auto b = create_task(told("b", putting(queue, 2, 3)));
  co_await sleep(1);
  say("got", queue.get_nowait());
  a.cancel("crossed");
  co_await a;
  co_await b;
  int item = queue.get_nowait();
  say("got", item, queue.qsize());
}

Coro<> queue_joins_its_work() {
  Queue<int> queue;
  auto task = create_task([&]() -> Coro<> {
    for (;;) {
      int item = co_await queue.get();
      co_await sleep(1);
      say("did", item);
      queue.task_done();
    }
  });
  co_await putting(queue, 0, 3);
  co_await queue.join();
  say("joined");
  task.cancel("no more");
  co_await told("worker", task);
  attempt("task_done", [&] { queue.task_done(); });
}

Coro<> queue_of_the_smallest_first() {
  PriorityQueue<int> queue;
  for (int item : {3, 1, 2}) queue.put_nowait(item);
  int items[3];
  for (int& item : items) item = queue.get_nowait();
  say(items[0], items[1], items[2]);
  co_return;
}

Coro<> queue_without_waiting() {
  Queue<int> queue(1);
  attempt("get", [&] { return queue.get_nowait(); });
  queue.put_nowait(1);
  attempt("put", [&] { queue.put_nowait(2); });
  attempt("get", [&] { return queue.get_nowait(); });
  co_return;
}

Coro<> queue_shut_down() {
  Queue<int> queue(1);
  queue.put_nowait(1);
  auto producer = create_task(told("producer", putting(queue, 2, 3)));
  co_await sleep(1);
  queue.shutdown();
  co_await producer;
  co_await told("get", queue.get());
  co_await told("get", queue.get());
  attempt("put", [&] { queue.put_nowait(3); });
}

Coro<> queue_shut_down_at_once() {
  Queue<int> queue;
  auto consumer = create_task(told("consumer", queue.get()));
  co_await sleep(1);
  queue.shutdown(true);
  co_await consumer;
  Queue<int> other;
  other.put_nowait(1);
  auto joiner = create_task(told("join", other.join()));
  co_await sleep(1);
  other.shutdown(true);
  co_await joiner;
  say(other.qsize());
}

Coro<> queue_under_a_timeout() {
  Queue<int> queue;
  co_await told("main", wait_for(queue.get(), Seconds(1)));
  queue.put_nowait(5);
  co_await told("main", wait_for(queue.get(), Seconds(1)));
}

Coro<> group_over_a_queue() {
  Queue<int> queue(1);
  auto consumer = [&](std::string who) -> Coro<> {
    try {
      for (;;) {
        int item = co_await queue.get();
        say(who, "got", item);
        co_await sleep(2);
      }
    } catch (const QueueShutDown&) {
      say(who, "is done");
    }
  };
  co_await task_group([&](TaskGroup& group) -> Coro<> {
    group.create_task(consumer("a"));
    group.create_task(consumer("b"));
    co_await putting(queue, 0, 4);
    queue.shutdown();
  });
}

}  // namespace

std::vector<Scenario> sync_scenarios() {
  return {
      DIFFERENTIAL_MAIN(lock_is_fair),
      DIFFERENTIAL_MAIN(lock_of_a_cancelled_waiter_goes_to_the_next),
      DIFFERENTIAL_MAIN(lock_and_a_cancellation_at_the_same_instant),
      DIFFERENTIAL_MAIN(lock_is_left_by_a_holder_that_is_cancelled),
      DIFFERENTIAL_MAIN(lock_released_too_often),
      DIFFERENTIAL_MAIN(lock_newcomers_wait_behind_who_was_woken),
      DIFFERENTIAL_MAIN(semaphore_lets_so_many_in),
      DIFFERENTIAL_MAIN(semaphore_and_a_cancellation_at_the_same_instant),
      DIFFERENTIAL_MAIN(semaphore_bounded),
      DIFFERENTIAL_MAIN(event_wakes_all),
      DIFFERENTIAL_MAIN(condition_wakes_so_many),
      DIFFERENTIAL_MAIN(condition_takes_its_lock_again_when_cancelled),
      DIFFERENTIAL_MAIN(condition_passes_on_what_a_cancelled_one_was_given),
      DIFFERENTIAL_MAIN(condition_with_a_predicate),
      DIFFERENTIAL_MAIN(barrier_lets_all_go_at_once),
      DIFFERENTIAL_MAIN(barrier_goes_on_without_a_cancelled_one),
      DIFFERENTIAL_MAIN(barrier_aborted_and_reset),
      DIFFERENTIAL_MAIN(queue_makes_producers_wait),
      DIFFERENTIAL_MAIN(queue_serves_its_consumers_in_order),
      DIFFERENTIAL_MAIN(queue_loses_no_item_to_a_cancelled_consumer),
      DIFFERENTIAL_MAIN(queue_loses_no_room_to_a_cancelled_producer),
      DIFFERENTIAL_MAIN(queue_joins_its_work),
      DIFFERENTIAL_MAIN(queue_of_the_smallest_first),
      DIFFERENTIAL_MAIN(queue_without_waiting),
      DIFFERENTIAL_MAIN(queue_shut_down),
      DIFFERENTIAL_MAIN(queue_shut_down_at_once),
      DIFFERENTIAL_MAIN(queue_under_a_timeout),
      DIFFERENTIAL_MAIN(group_over_a_queue),
  };
}

}  // namespace differential
