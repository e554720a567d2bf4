# SPDX-License-Identifier: MIT
"""Tasks, cancellation, futures. The same in C++: tasks.cpp."""
import asyncio
import contextvars
from asyncio import CancelledError, create_task, current_task, sleep

from trace import Oops, attempt, failing, kind, say, sleeper, stubborn, told


async def cancel_reaches_the_await():
    task = create_task(sleeper("child", 5))
    await sleep(1)
    say("cancel", task.cancel("enough"), task.cancelling(), task.done())
    await told("main", task)
    say(task.cancelled(), task.cancel())


async def cancel_before_the_first_step():
    task = create_task(sleeper("child", 5))
    task.cancel()
    await told("main", task)


async def cancel_is_counted_and_delivered_once():
    async def body():
        await told("first", sleep(5))
        say("requests", current_task().cancelling())
        await told("second", sleep(1))

    task = create_task(body())
    await sleep(1)
    task.cancel("a")
    task.cancel("b")
    await told("main", task)


async def cancel_twice_in_each_kind_of_wait():
    future = asyncio.get_running_loop().create_future()
    child = create_task(sleeper("child", 9))
    lock = asyncio.Lock()
    await lock.acquire()
    for who, awaitable in (("future", future), ("child", child), ("lock", lock.acquire()), ("queue", asyncio.Queue().get()),
                           ("wait", waiting([create_task(sleep(9))]))):
        task = create_task(told(who, awaitable))
        await sleep(1)
        task.cancel("a")
        task.cancel("b")
        await told("main", task)
        say(task.cancelling())


async def waiting(tasks):
    await asyncio.wait(tasks)


async def uncancel_withdraws_what_was_not_delivered():
    me = current_task()
    me.cancel()
    me.cancel()
    say(me.uncancel(), me.uncancel(), me.uncancel())
    await told("sleep", sleep(1))


async def uncancel_of_one_leaves_the_other():
    me = current_task()
    me.cancel()
    me.cancel()
    say(me.uncancel())
    await told("sleep", sleep(1))
    say(me.cancelling())


async def cancel_passes_through_tasks():
    async def middle():
        inner = create_task(sleeper("inner", 5))
        await told("middle", inner)
        say("inner cancelled", inner.cancelled(), inner.cancelling())

    task = create_task(middle())
    await sleep(1)
    task.cancel("down")
    await told("main", task)


async def an_awaited_child_swallows_the_cancellation():
    async def middle():
        value = await create_task(stubborn("inner", 5, 1, 7))
        say("middle got", value, current_task().cancelling())
        await told("later", sleep(1))

    task = create_task(middle())
    await sleep(1)
    task.cancel()
    await told("main", task)
    say(task.cancelled())


async def cancel_in_the_last_step():
    async def body():
        current_task().cancel("late")
        return 1

    await told("main", create_task(body()))


async def a_cancelled_error_of_ones_own():
    async def body():
        await sleep(1)
        raise CancelledError("mine")

    task = create_task(body())
    await told("main", task)
    say(task.cancelled(), task.cancelling(), current_task().cancelling())


async def awaiting_a_cancelled_task_counts_nothing():
    task = create_task(sleeper("child", 5))
    await sleep(0)
    task.cancel()
    await told("main", task)
    await told("again", task)
    say(current_task().cancelling())


async def cancel_meets_a_finished_future():
    future = asyncio.get_running_loop().create_future()

    async def body():
        await told("body", future)

    task = create_task(body())
    await sleep(1)
    future.set_result(3)
    task.cancel("crossed")
    await told("main", task)
    say(future.result())


async def cancel_meets_a_sleep_that_is_over():
    task = create_task(told("body", sleep(1)))
    await sleep(0)
    asyncio.get_running_loop().call_later(1, task.cancel, "crossed")
    await told("main", task)


async def cancel_meets_a_finished_child():
    inner = create_task(sleeper("inner", 1, 3))
    task = create_task(told("body", inner))
    inner.add_done_callback(lambda _: task.cancel("crossed"))
    await told("main", task)
    say(inner.result())


async def many_await_one_task():
    task = create_task(sleeper("child", 2, 5))
    first = create_task(told("first", task))
    second = create_task(told("second", task))
    await sleep(1)
    await told("main", task)
    await first
    await second


async def cancelling_one_of_many_cancels_the_task():
    task = create_task(sleeper("child", 2, 5))
    first = create_task(told("first", task))
    second = create_task(told("second", task))
    await sleep(1)
    first.cancel("first")
    await told("main", task)
    await first
    await second


async def a_task_that_awaits_itself():
    async def body():
        await told("body", current_task())

    await told("main", create_task(body()))


async def steps_and_callbacks_take_turns():
    loop = asyncio.get_running_loop()

    async def child(who):
        for i in range(3):
            say(who, i)
            await sleep(0)

    a = create_task(child("a"))
    loop.call_soon(lambda: say("callback 1"))
    b = create_task(child("b"))
    loop.call_soon(lambda: loop.call_soon(lambda: say("callback 2")))
    loop.call_later(0, lambda: say("timer"))
    handle = loop.call_soon(lambda: say("never"))
    handle.cancel()
    await a
    await b


async def done_callbacks_come_in_their_order():
    task = create_task(sleeper("child", 1, 1))
    task.add_done_callback(lambda t: say("one", t.result()))
    create_task(told("waiter", task))
    await sleep(0)
    task.add_done_callback(lambda t: say("two", t.result()))
    await told("main", task)
    task.add_done_callback(lambda t: say("three", t.result()))
    say("main goes on")
    await sleep(0)


async def a_callback_that_throws_is_reported():
    def bad():
        raise Oops("callback")

    loop = asyncio.get_running_loop()
    loop.call_soon(bad)
    loop.call_later(1, lambda: say("the loop goes on"))
    task = create_task(sleeper("child", 1))
    task.add_done_callback(lambda _: bad())
    await sleep(2)


async def an_error_that_nobody_reads():
    task = create_task(failing("child", 1))
    await sleep(2)
    del task
    say("dropped")
    await sleep(1)


async def an_error_that_is_read_is_not_reported():
    task = create_task(failing("child", 1))
    await sleep(2)
    say(kind(task.exception()))
    del task
    await sleep(1)


async def futures_in_the_wrong_state():
    loop = asyncio.get_running_loop()

    future = loop.create_future()
    attempt("result", future.result)
    attempt("exception", future.exception)
    future.set_result(1)
    attempt("twice", lambda: future.set_result(2))
    say(future.cancel(), future.result())
    future = loop.create_future()
    say(future.cancel("why"), future.cancelled())
    attempt("result", future.result)
    attempt("set", lambda: future.set_result(2))
    task = create_task(sleep(1))
    attempt("task", task.result)
    await task


async def a_future_wakes_all_in_order():
    future = asyncio.get_running_loop().create_future()
    waiters = [create_task(told(f"waiter {i}", future)) for i in range(3)]
    await sleep(1)
    future.set_exception(Oops("set"))
    say("set")
    for waiter in waiters:
        await waiter


async def an_eager_task_that_ends_at_once():
    async def child():
        say("child", current_task().get_name())
        return 4

    task = asyncio.eager_task_factory(asyncio.get_running_loop(), child(), name="eager")
    say(task.done(), task.result(), task.cancel())
    say(len(asyncio.all_tasks()), current_task() is task)


async def an_eager_task_that_suspends():
    var = contextvars.ContextVar("var", default=0)

    async def child():
        var.set(1)
        await told("child", sleeper("inner", 5))

    task = asyncio.eager_task_factory(asyncio.get_running_loop(), child())
    say("created", task.done(), var.get())
    await sleep(1)
    task.cancel("eager")
    await told("main", task)


async def an_eager_task_that_fails():
    async def child():
        raise Oops("child")

    task = asyncio.eager_task_factory(asyncio.get_running_loop(), child())
    say(task.done())
    await told("main", task)
