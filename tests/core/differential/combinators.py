# SPDX-License-Identifier: MIT
"""shield, gather, wait, as_completed, wait_for. The same in C++: combinators.cpp."""
import asyncio
from asyncio import FIRST_COMPLETED, FIRST_EXCEPTION, create_task, gather, shield, sleep, timeout, wait, wait_for

from trace import cleaning, failing, kind, say, sleeper, spiteful, stubborn, told


async def wait_for_expires_and_waits_for_the_end():
    await told("main", wait_for(cleaning("body", 5, 2), 1))


async def wait_for_a_task_that_swallows():
    await told("main", wait_for(create_task(stubborn("body", 5, 2, 4)), 1))


async def wait_for_nothing():
    await told("coroutine", wait_for(sleeper("body", 1), 0))
    task = create_task(sleeper("task", 1, 3))
    await task
    await told("done", wait_for(task, 0))
    task = create_task(stubborn("stubborn", 5, 1, 3))
    await sleep(0)
    await told("task", wait_for(task, 0))


async def wait_for_is_cancelled():
    task = create_task(wait_for(cleaning("body", 5, 1), 3))
    await sleep(1)
    task.cancel("outside")
    await told("main", task)


async def shield_keeps_what_it_shields():
    inner = create_task(sleeper("inner", 3, 5))
    task = create_task(told("task", shield(inner)))
    await sleep(1)
    task.cancel("outside")
    await task
    await told("main", inner)


async def shield_of_what_is_cancelled():
    inner = create_task(sleeper("inner", 3))
    task = create_task(told("task", shield(inner)))
    await sleep(1)
    inner.cancel("inner")
    await task
    say(task.cancelled())


async def shield_of_what_fails():
    await told("main", shield(create_task(failing("inner", 1))))


async def shield_whose_inner_fails_afterwards():
    inner = create_task(failing("inner", 2))
    task = create_task(told("task", shield(inner)))
    await sleep(1)
    task.cancel("outside")
    await task
    await sleep(2)


async def shield_under_a_timeout():
    inner = create_task(sleeper("inner", 3, 5))
    await told("main", wait_for(shield(inner), 1))
    await told("main", inner)


async def gather_in_the_order_of_its_arguments():
    await told("a", told_values(gather(sleeper("x", 3, 1), sleeper("y", 1, 2), sleeper("z", 2, 3))))


async def told_values(awaitable):
    return " ".join(str(value) for value in await awaitable)


async def gather_gives_the_first_error_and_the_others_go_on():
    b = create_task(sleeper("b", 2))
    c = create_task(failing("c", 3))
    await told("main", gather(failing("a", 1), b, c))
    say(b.done())
    await told("b", b)
    await told("c", c)


async def gather_cancelled_cancels_all():
    async def body():
        await gather(sleeper("a", 5), cleaning("b", 5, 1), stubborn("c", 5, 2))

    task = create_task(body())
    await sleep(1)
    task.cancel("outside")
    await told("main", task)


async def gather_with_a_cancelled_child():
    a = create_task(sleeper("a", 5))
    b = create_task(sleeper("b", 3))
    asyncio.get_running_loop().call_later(1, a.cancel)
    await told("main", gather(a, b))
    await told("b", b)


async def gather_of_outcomes():
    a = create_task(sleeper("a", 5))
    asyncio.get_running_loop().call_later(1, a.cancel)
    values = await gather(a, failing("b", 2), sleeper("c", 3, 7), return_exceptions=True)
    say(*(kind(value) if isinstance(value, BaseException) else value for value in values))


async def gather_of_outcomes_cancelled():
    task = create_task(told("task", gather(sleeper("a", 5), spiteful("b", 5), return_exceptions=True)))
    await sleep(1)
    task.cancel("outside")
    await task


async def gather_of_one_task_twice():
    a = create_task(sleeper("a", 1, 1))
    await told("main", told_values(gather(a, a)))


async def gather_under_a_timeout():
    async def body():
        async with timeout(2):
            await gather(sleeper("a", 1), cleaning("b", 5, 1))

    await told("main", body())


async def said_sets(awaitable):
    done, pending = await awaitable
    names = lambda tasks: " ".join(sorted(task.get_name() for task in tasks))
    say("done:", names(done), "pending:", names(pending))
    return done, pending


async def wait_for_all_of_several():
    a = create_task(sleeper("a", 1), name="a")
    b = create_task(failing("b", 2), name="b")
    await said_sets(wait([a, b]))
    say(kind(b.exception()))


async def wait_for_the_first():
    tasks = [create_task(sleeper(who, seconds), name=who) for who, seconds in (("a", 2), ("b", 1), ("c", 1))]
    done, pending = await said_sets(wait(tasks, return_when=FIRST_COMPLETED))
    await said_sets(wait(pending))


async def wait_for_the_first_exception():
    a = create_task(sleeper("a", 1), name="a")
    b = create_task(failing("b", 2), name="b")
    c = create_task(sleeper("c", 3), name="c")
    await said_sets(wait([a, b, c], return_when=FIRST_EXCEPTION))
    say(kind(b.exception()))
    await c


async def wait_for_the_first_exception_but_it_is_a_cancellation():
    a = create_task(sleeper("a", 3), name="a")
    b = create_task(sleeper("b", 5), name="b")
    asyncio.get_running_loop().call_later(1, b.cancel)
    await said_sets(wait([a, b], return_when=FIRST_EXCEPTION))


async def wait_with_a_timeout():
    a = create_task(sleeper("a", 1), name="a")
    b = create_task(sleeper("b", 3), name="b")
    await said_sets(wait([a, b], timeout=2))
    await b


async def wait_is_cancelled():
    a = create_task(sleeper("a", 3), name="a")
    task = create_task(said_sets(wait([a])))
    await sleep(1)
    task.cancel("outside")
    await told("main", task)
    await told("a", a)


async def as_completed_in_the_order_of_the_ends():
    tasks = [create_task(sleeper(who, seconds, value)) for who, seconds, value in (("a", 3, 1), ("b", 1, 2), ("c", 2, 3))]
    async for task in asyncio.as_completed(tasks):
        say("main", task.result(), tasks.index(task))


async def as_completed_with_a_failure():
    tasks = [create_task(sleeper("a", 2)), create_task(failing("b", 1))]
    async for task in asyncio.as_completed(tasks):
        await told("main", task)


async def as_completed_is_out_of_time():
    tasks = [create_task(sleeper("a", 1)), create_task(sleeper("b", 5))]

    async def body():
        async for task in asyncio.as_completed(tasks, timeout=2):
            say("one", tasks.index(task))

    await told("main", body())
    say(tasks[1].done())
    tasks[1].cancel()
    await told("b", tasks[1])


async def as_completed_is_cancelled():
    tasks = [create_task(sleeper("a", 1)), create_task(sleeper("b", 5))]

    async def body():
        async for task in asyncio.as_completed(tasks):
            say("one", tasks.index(task))

    task = create_task(body())
    await sleep(2)
    task.cancel("outside")
    await told("main", task)
    say(tasks[1].done())
