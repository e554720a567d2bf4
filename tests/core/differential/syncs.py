# SPDX-License-Identifier: MIT
"""Locks, semaphores, events, conditions, barriers, queues. The same in C++: syncs.cpp."""
import asyncio
from asyncio import Barrier, BoundedSemaphore, Condition, Event, Lock, PriorityQueue, Queue, Semaphore, \
    create_task, sleep

from trace import TaskGroup, attempt, say, told


async def holding(what, who, seconds):
    async with what:
        say(who, "holds")
        await sleep(seconds)
    say(who, "lets go")


async def lock_is_fair():
    lock = Lock()
    tasks = [create_task(told(who, holding(lock, who, 1))) for who in "abc"]
    await sleep(0.5)
    say(lock.locked())
    for task in tasks:
        await task
    say(lock.locked())


async def lock_of_a_cancelled_waiter_goes_to_the_next():
    lock = Lock()
    tasks = [create_task(told(who, holding(lock, who, 2))) for who in "abc"]
    await sleep(1)
    tasks[1].cancel("b")
    for task in tasks:
        await task


async def lock_and_a_cancellation_at_the_same_instant():
    lock = Lock()
    await lock.acquire()
    tasks = [create_task(told(who, holding(lock, who, 1))) for who in "ab"]
    await sleep(1)
    lock.release()
    tasks[0].cancel("crossed")
    say(lock.locked())
    for task in tasks:
        await task
    say(lock.locked())


async def lock_is_left_by_a_holder_that_is_cancelled():
    lock = Lock()
    tasks = [create_task(told(who, holding(lock, who, 2))) for who in "ab"]
    await sleep(1)
    tasks[0].cancel("a")
    for task in tasks:
        await task


async def lock_released_too_often():
    lock = Lock()
    attempt("release", lock.release)


async def lock_newcomers_wait_behind_who_was_woken():
    lock = Lock()
    await lock.acquire()
    first = create_task(told("first", holding(lock, "first", 1)))
    await sleep(0)
    lock.release()
    await told("newcomer", holding(lock, "newcomer", 1))
    await first


async def semaphore_lets_so_many_in():
    semaphore = Semaphore(2)
    tasks = [create_task(told(who, holding(semaphore, who, 1))) for who in "abcde"]
    await sleep(0.5)
    say(semaphore.locked())
    for task in tasks:
        await task


async def semaphore_and_a_cancellation_at_the_same_instant():
    semaphore = Semaphore(1)
    await semaphore.acquire()
    tasks = [create_task(told(who, holding(semaphore, who, 1))) for who in "ab"]
    await sleep(1)
    tasks[0].cancel("crossed")
    semaphore.release()
    for task in tasks:
        await task
    say(semaphore.locked())


async def semaphore_bounded():
    semaphore = BoundedSemaphore(1)
    attempt("release", semaphore.release)
    attempt("negative", lambda: Semaphore(-1) and None)
    await semaphore.acquire()
    attempt("release", semaphore.release)


async def event_wakes_all():
    event = Event()
    tasks = [create_task(told_only(who, event.wait())) for who in "abc"]
    await sleep(1)
    tasks[1].cancel("b")
    event.set()
    event.clear()
    say(event.is_set())
    for task in tasks:
        await task
    event.set()
    await told_only("main", event.wait())


async def told_only(who, awaitable):
    async def valueless():
        await awaitable

    await told(who, valueless())


async def waiting(condition, who):
    async with condition:
        say(who, "waits")
        await condition.wait()
        say(who, "goes on")
        await sleep(1)


async def notifying(condition, number):
    async with condition:
        condition.notify(number)
        say("notified", number)


async def condition_wakes_so_many():
    condition = Condition()
    tasks = [create_task(told(who, waiting(condition, who))) for who in "abc"]
    await sleep(1)
    await notifying(condition, 2)
    await sleep(3)
    await notifying(condition, 1)
    for task in tasks:
        await task
    attempt("notify", condition.notify)
    await told_only("wait", condition.wait())


async def condition_takes_its_lock_again_when_cancelled():
    condition = Condition()
    task = create_task(told("a", waiting(condition, "a")))
    await sleep(1)
    holder = create_task(told("holder", holding(condition, "holder", 2)))
    await sleep(0)
    task.cancel("a")
    await task
    say(condition.locked())
    await holder


async def condition_passes_on_what_a_cancelled_one_was_given():
    condition = Condition()
    tasks = [create_task(told(who, waiting(condition, who))) for who in "ab"]
    await sleep(1)
    await notifying(condition, 1)
    tasks[0].cancel("crossed")
    for task in tasks:
        await asyncio.wait([task], timeout=3)
    say(tasks[0].done(), tasks[1].done())
    await notifying(condition, 1)
    await tasks[1]


async def condition_with_a_predicate():
    condition = Condition()
    value = [0]

    async def consumer():
        async with condition:
            got = await condition.wait_for(lambda: value[0] if value[0] > 2 else 0)
            say("consumer", got)

    task = create_task(consumer())
    for i in range(1, 5):
        await sleep(1)
        async with condition:
            value[0] = i
            condition.notify_all()
            say("set", i)
    await task


async def barrier_lets_all_go_at_once():
    barrier = Barrier(3)
    tasks = [create_task(told(who, barrier.wait())) for who in "ab"]
    await sleep(1)
    say(barrier.n_waiting, barrier.broken)
    await told("main", barrier.wait())
    for task in tasks:
        await task
    say(barrier.n_waiting)


async def barrier_goes_on_without_a_cancelled_one():
    barrier = Barrier(2)
    a = create_task(told("a", barrier.wait()))
    await sleep(1)
    a.cancel("a")
    await a
    say(barrier.n_waiting, barrier.broken)
    b = create_task(told("b", barrier.wait()))
    await told("main", barrier.wait())
    await b


async def barrier_aborted_and_reset():
    barrier = Barrier(2)
    a = create_task(told("a", barrier.wait()))
    await sleep(1)
    await barrier.abort()
    await a
    say(barrier.broken)
    await told("broken", barrier.wait())
    await barrier.reset()
    b = create_task(told("b", barrier.wait()))
    await sleep(1)
    await barrier.reset()
    await b
    say(barrier.broken)


async def putting(queue, items):
    for item in items:
        await queue.put(item)
        say("put", item)


async def queue_makes_producers_wait():
    queue = Queue(2)
    producer = create_task(putting(queue, range(5)))
    await sleep(1)
    say(queue.qsize(), queue.full(), queue.empty())
    for _ in range(5):
        say("got", await queue.get())
        await sleep(1)
    await producer
    say(queue.empty())


async def queue_serves_its_consumers_in_order():
    queue = Queue()
    consumers = [create_task(told(who, queue.get())) for who in "abc"]
    await sleep(1)
    await putting(queue, range(3))
    for consumer in consumers:
        await consumer


async def queue_loses_no_item_to_a_cancelled_consumer():
    queue = Queue()
    consumers = [create_task(told(who, queue.get())) for who in "ab"]
    await sleep(1)
    queue.put_nowait(1)
    consumers[0].cancel("crossed")
    for consumer in consumers:
        await consumer
    say(queue.qsize())


async def queue_loses_no_room_to_a_cancelled_producer():
    queue = Queue(1)
    queue.put_nowait(0)
    producers = [create_task(told(who, putting(queue, [item]))) for who, item in (("a", 1), ("b", 2))]
    await sleep(1)
    say("got", queue.get_nowait())
    producers[0].cancel("crossed")
    for producer in producers:
        await producer
    say("got", queue.get_nowait(), queue.qsize())


async def queue_joins_its_work():
    queue = Queue()

    async def worker():
        while True:
            item = await queue.get()
            await sleep(1)
            say("did", item)
            queue.task_done()

    task = create_task(worker())
    await putting(queue, range(3))
    await queue.join()
    say("joined")
    task.cancel("no more")
    await told("worker", task)
    attempt("task_done", queue.task_done)


async def queue_of_the_smallest_first():
    queue = PriorityQueue()
    for item in (3, 1, 2):
        queue.put_nowait(item)
    say(*[queue.get_nowait() for _ in range(3)])


async def queue_without_waiting():
    queue = Queue(1)
    attempt("get", queue.get_nowait)
    queue.put_nowait(1)
    attempt("put", lambda: queue.put_nowait(2))
    attempt("get", queue.get_nowait)


async def queue_shut_down():
    queue = Queue(1)
    queue.put_nowait(1)
    producer = create_task(told("producer", putting(queue, [2])))
    await sleep(1)
    queue.shutdown()
    await producer
    await told("get", queue.get())
    await told("get", queue.get())
    attempt("put", lambda: queue.put_nowait(3))


async def queue_shut_down_at_once():
    queue = Queue()
    consumer = create_task(told("consumer", queue.get()))
    await sleep(1)
    queue.shutdown(immediate=True)
    await consumer
    other = Queue()
    other.put_nowait(1)
    joiner = create_task(told("join", other.join()))
    await sleep(1)
    other.shutdown(immediate=True)
    await joiner
    say(other.qsize())


async def queue_under_a_timeout():
    queue = Queue()
    await told("main", asyncio.wait_for(queue.get(), 1))
    queue.put_nowait(5)
    await told("main", asyncio.wait_for(queue.get(), 1))


async def group_over_a_queue():
    queue = Queue(1)

    async def consumer(who):
        try:
            while True:
                say(who, "got", await queue.get())
                await sleep(2)
        except asyncio.QueueShutDown:
            say(who, "is done")

    async with TaskGroup() as group:
        group.create_task(consumer("a"))
        group.create_task(consumer("b"))
        await putting(queue, range(4))
        queue.shutdown()
