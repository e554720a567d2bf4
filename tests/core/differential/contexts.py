# SPDX-License-Identifier: MIT
"""Context variables and generators. The same in C++: contexts.cpp."""
import asyncio
import contextvars
from asyncio import CancelledError, create_task, sleep

from trace import Oops, attempt, kind, say, told


async def a_task_has_a_context_of_its_own():
    var = contextvars.ContextVar("var", default=0)
    var.set(1)

    async def child(who, value):
        say(who, var.get())
        var.set(value)
        await sleep(1)
        say(who, var.get())

    a = create_task(child("a", 10))
    var.set(2)
    b = create_task(child("b", 20))
    await child("awaited", 3)
    await a
    await b
    say("main", var.get())


async def tasks_share_a_context_that_is_given():
    var = contextvars.ContextVar("var", default=0)
    shared = contextvars.copy_context()

    async def child(who, value):
        say(who, var.get())
        var.set(value)
        await sleep(1)
        say(who, var.get())

    a = create_task(child("a", 1), context=shared)
    b = create_task(child("b", 2), context=shared)
    await a
    await b
    say("main", var.get(), "shared", shared.run(var.get))


async def callbacks_run_in_a_copy_of_the_context():
    loop = asyncio.get_running_loop()
    var = contextvars.ContextVar("var", default=0)
    var.set(1)
    loop.call_soon(lambda: (say("soon", var.get()), var.set(5)))
    loop.call_later(1, lambda: say("later", var.get()))
    given = contextvars.copy_context()
    loop.call_soon(lambda: var.set(6), context=given)
    task = create_task(sleep(1))
    task.add_done_callback(lambda _: say("done", var.get()))
    var.set(2)
    await sleep(2)
    say("main", var.get(), "given", given.run(var.get))


async def tokens_put_back_what_was():
    var = contextvars.ContextVar("var")

    attempt("unset", var.get)
    one = var.set(1)
    two = var.set(2)
    var.reset(two)
    say(var.get())
    attempt("twice", lambda: var.reset(two))
    attempt("elsewhere", lambda: contextvars.copy_context().run(var.reset, one))
    var.reset(one)
    attempt("unset", var.get)


async def counting(who, end, clean_up=0.0):
    try:
        for i in range(end):
            yield i
            await sleep(1)
        say(who, "ends")
    except GeneratorExit:
        say(who, "is closed")
        raise
    except CancelledError as error:
        say(who, "gets", kind(error))
        raise
    finally:
        if clean_up:
            await sleep(clean_up)
        say(who, "is clean")


async def a_generator_runs_to_its_end():
    async for i in counting("gen", 2):
        say("main", i)


async def a_generator_is_closed_early():
    gen = counting("gen", 5, 1)
    say(await anext(gen), await anext(gen))
    await gen.aclose()
    say("closed")
    await told("next", anext(gen, None))
    await gen.aclose()


async def a_generator_that_is_dropped_is_closed_by_the_loop():
    gen = counting("gen", 5, 1)
    say(await anext(gen))
    del gen
    say("dropped")
    await sleep(3)


async def a_generator_in_a_cancelled_task():
    async def consume():
        async for i in counting("gen", 9, 1):
            say("consumer", i)

    task = create_task(consume())
    await sleep(1.5)
    task.cancel("consumer")
    await told("main", task)


async def a_consumer_that_fails_leaves_its_generator_to_the_loop():
    async def consume():
        gen = counting("gen", 9, 1)
        await anext(gen)
        raise Oops("consumer")

    await told("main", create_task(consume()))
    await sleep(2)


async def a_generator_that_throws():
    async def bad():
        yield 1
        raise Oops("gen")

    gen = bad()
    say(await anext(gen))
    await told("next", anext(gen))
    await told("after", anext(gen, None))


async def a_generator_under_a_timeout():
    gen = counting("gen", 9)

    async def consume():
        async with asyncio.timeout(2.5):
            async for i in gen:
                say("main", i)

    await told("timeout", consume())
    await told("next", anext(gen, None))


async def a_generator_that_ignores_its_exit():
    async def deaf():
        try:
            yield 1
        except GeneratorExit:
            say("ignored")
        yield 2

    gen = deaf()
    await anext(gen)
    await told("aclose", gen.aclose())


async def two_tasks_in_one_generator():
    gen = counting("gen", 3)
    task = create_task(told("first", anext(gen)))
    await task
    task = create_task(told("second", anext(gen)))
    await sleep(0.5)
    await told("third", anext(gen))
    await task
    await gen.aclose()
