# SPDX-License-Identifier: MIT
"""Wrappers around bodies around events, one line each. The same in C++: combinations.cpp."""
import asyncio
import gc
import signal
from asyncio import CancelledError, Lock, Queue, create_task, current_task, gather, shield, sleep, timeout, wait, \
    wait_for

import trace
from trace import Oops, TaskGroup, kind, new_loop, say


# Wrappers: they take a callable that gives a coroutine, and how much later than others their time is over.
async def plain(body, extra):
    return await body()


async def task(body, extra):
    return await create_task(body())


async def group(body, extra):
    async with TaskGroup() as tasks:
        child = tasks.create_task(body())
        sibling = tasks.create_task(sleep(2.25 + extra))
        sibling.add_done_callback(lambda _: say("sibling cancelled") if sibling.cancelled() else None)
    return child.result()


async def in_time(body, extra):
    async with timeout(2 + extra):
        return await body()


async def waited_for(body, extra):
    return await wait_for(body(), 2 + extra)


async def shielded(body, extra):
    inner = create_task(body())
    return await shield(inner)


async def gathered(body, extra):
    async def sibling():
        await sleep(2.25 + extra)
        say("sibling ends")
        return 0

    value, _ = await gather(body(), sibling())
    return value


async def outcome(body, extra):
    value, = await gather(body(), return_exceptions=True)
    if isinstance(value, BaseException):
        raise value
    return value


async def waited(body, extra):
    child = create_task(body())
    await wait([child], timeout=2.25 + extra)
    if not child.done():
        child.cancel("out of time")
    return await child


async def completed(body, extra):
    async for child in asyncio.as_completed([create_task(body())], timeout=2.25 + extra):
        value = await child
    return value


async def cleaned(body, extra):
    try:
        return await body()
    finally:
        say("clean-up")
        await sleep(0.5)
        say("clean")


async def locked(body, extra):
    lock = Lock()

    async def other():
        async with lock:
            say("the other has the lock")

    try:
        async with lock:
            child = create_task(other())
            return await body()
    finally:
        await sleep(0)
        say("locked" if lock.locked() else "unlocked")


async def generated(body, extra):
    async def values():
        yield await body()

    async for value in values():
        last = value
    return last


async def queued(body, extra):
    queue = Queue()

    async def produce():
        await queue.put(await body())

    producer = create_task(produce())
    value = await wait_for(queue.get(), 2.5 + extra)
    await producer
    return value


async def swallowed(body, extra):
    try:
        return await body()
    except CancelledError:
        say("swallowed")
        return -1


WRAPPERS = [plain, task, group, in_time, waited_for, shielded, gathered, outcome, waited, completed, cleaned, locked, generated,
            queued, swallowed]


# Bodies.
async def quick():
    return 1


async def short():
    await answer
    return 1


async def long():
    try:
        await sleep(3)
    except CancelledError as error:
        say("body:", kind(error))
        raise
    return 1


async def fails():
    await answer
    raise Oops("body")


async def fails_now():
    raise Oops("body")


async def stubborn():
    try:
        await sleep(3)
    except CancelledError:
        await sleep(0.75)
        say("body ends")
    return 2


async def careful():
    try:
        await sleep(3)
    finally:
        await sleep(0.75)
        say("body is clean")
    return 1


async def spiteful():
    try:
        await sleep(3)
    except CancelledError:
        raise Oops("body") from None
    return 1


async def cancels_itself():
    await answer
    raise CancelledError("own")


BODIES = [quick, short, long, fails, fails_now, stubborn, careful, spiteful, cancels_itself]


# Events.
def nothing():
    pass


def cancelled():
    asyncio.get_running_loop().call_later(1.5, current_task().cancel, "outside")


def cancelled_twice():
    asyncio.get_running_loop().call_later(1.5, current_task().cancel, "outside")
    asyncio.get_running_loop().call_later(1.625, current_task().cancel, "again")


def cancelled_at_once():
    current_task().cancel("at once")


def interrupted():
    asyncio.get_running_loop().call_later(1.5, signal.raise_signal, signal.SIGINT)


def cancelled_as_it_ends():
    """After the answer has come, before the next step of who waits."""
    answer.add_done_callback(lambda _, me=current_task(): me.cancel("crossed"))


EVENTS = [nothing, cancelled, cancelled_twice, cancelled_at_once, interrupted, cancelled_as_it_ends]
answer = None


def line(name, body, event):
    async def main():
        global answer
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1, lambda: answer.done() or answer.set_result(None))
        event()
        return await body()

    trace.take_lines()
    end = "?"
    with asyncio.Runner(loop_factory=new_loop) as runner:
        try:
            end = f"returned {runner.run(main())}"
        except BaseException as error:
            end = f"threw {kind(error)}"
            del error
        say(end)
    said = trace.lines
    return f"{name} {event.__name__}: " + "; ".join(word for word in said if "report:" not in word)


def combinations():
    lines = []
    for wrapper in WRAPPERS:
        for body in BODIES:
            for event in EVENTS:
                lines.append(line(f"{wrapper.__name__}({body.__name__})", lambda: wrapper(body, 0), event))
    for outer in WRAPPERS[1:]:
        for inner in WRAPPERS[1:]:
            for body, events in ((long, (nothing, cancelled)), (fails, (nothing,)), (careful, (cancelled_twice, interrupted))):
                for event in events:
                    name = f"{outer.__name__}({inner.__name__}({body.__name__}))"
                    lines.append(line(name, lambda: outer(lambda: inner(body, 0), 0.125), event))
    gc.collect()
    return lines
