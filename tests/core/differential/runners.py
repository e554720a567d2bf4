# SPDX-License-Identifier: MIT
"""Whole runs: leftovers, generators and threads at the end, what leaves run(). The same in C++: runners.cpp."""
import asyncio
import contextvars
import threading
from asyncio import create_task, current_task, shield, sleep

from trace import Oops, TaskGroup, attempt, cleaning, failing, kind, new_loop, run, say, sleeper, spiteful, stubborn, told


def leftovers_are_cancelled_together():
    async def main():
        create_task(sleeper("a", 5))
        create_task(cleaning("b", 5, 2))
        create_task(cleaning("c", 5, 1))
        await sleep(1)
        return 1

    run(main())


def leftovers_that_fail_are_reported():
    async def main():
        create_task(spiteful("a", 5))
        await sleep(1)
        return 1

    run(main())


def a_leftover_that_swallows_is_waited_for():
    async def main():
        create_task(stubborn("a", 5, 3))
        await sleep(1)

    run(main())


def a_leftover_that_never_began():
    async def main():
        await sleep(1)
        create_task(sleeper("a", 5))

    run(main())


def main_and_a_leftover_fail():
    async def main():
        create_task(spiteful("a", 5))
        await sleep(1)
        raise Oops("main")

    run(main())


def a_leftover_starts_another():
    async def parent():
        try:
            await sleep(5)
        finally:
            say("parent starts a child")
            create_task(sleeper("child", 5))

    async def main():
        create_task(parent())
        await sleep(1)

    run(main())


def a_leftover_in_a_shield():
    async def main():
        inner = create_task(cleaning("inner", 5, 1))
        create_task(told("outer", shield(inner)))
        await sleep(1)

    run(main())


def a_generator_is_alive_at_the_end():
    kept = []

    async def numbers(who, clean_up):
        try:
            yield 1
            yield 2
        finally:
            await sleep(clean_up)
            say(who, "is clean")

    async def main():
        for who, clean_up in (("a", 1), ("b", 2)):
            gen = numbers(who, clean_up)
            kept.append(gen)
            say(await anext(gen))
        kept.append(numbers("never begun", 1))
        create_task(cleaning("task", 5, 1))
        await sleep(1)

    run(main())


def a_generator_fails_at_the_end():
    kept = []

    async def bad():
        try:
            yield 1
        finally:
            await sleep(1)
            raise Oops("generator")

    async def deaf():
        try:
            yield 1
        except GeneratorExit:
            pass
        yield 2

    async def main(gen):
        kept.append(gen)
        await anext(gen)

    run(main(bad()))
    run(main(deaf()))


def main_ends_with_a_cancelled_error():
    async def main():
        await sleep(1)
        current_task().cancel("main")
        await sleep(1)

    run(main())


def system_exit_of_main():
    async def main():
        create_task(cleaning("child", 5, 1))
        await sleep(1)
        raise SystemExit(3)

    run(main())


def system_exit_of_a_child():
    async def child():
        await sleep(1)
        raise SystemExit(3)

    async def main():
        kept = create_task(child())
        try:
            await sleep(5)
        finally:
            say("main is cancelled", kept.done())

    run(main())


def system_exit_of_a_callback():
    async def main():
        def leave():
            raise SystemExit(4)

        asyncio.get_running_loop().call_later(1, leave)
        await sleeper("main", 5)

    run(main())


def system_exit_in_a_group():
    async def main():
        async def child():
            await sleep(1)
            raise SystemExit(3)

        async with TaskGroup() as group:
            group.create_task(child())
            group.create_task(cleaning("sibling", 5, 1))

    run(main())


def runs_share_a_loop_and_a_context():
    var = contextvars.ContextVar("var", default=0)

    async def main(value):
        say(var.get())
        var.set(value)
        await sleep(1)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main(1))
        runner.run(main(2))
        context = contextvars.copy_context()
        runner.run(main(3), context=context)
        say("given", context.run(var.get))
        runner.run(main(4))
    say("outside", var.get())


def a_leftover_goes_on_in_the_next_run():
    async def first():
        create_task(sleeper("leftover", 2))
        await sleep(1)

    async def second():
        say(len(asyncio.all_tasks()))
        await sleep(2)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(first())
        say("between")
        runner.run(second())


def a_failed_run_leaves_the_runner_usable():
    async def good():
        return 1

    with asyncio.Runner(loop_factory=new_loop) as runner:
        attempt("bad", lambda: runner.run(failing("main", 1)))
        attempt("good", lambda: runner.run(good()))


def a_run_inside_a_run_is_refused():
    async def inner():
        say("never")

    async def main():
        coro = inner()
        attempt("run", lambda: asyncio.run(coro))
        coro.close()
        await sleep(1)

    run(main())


def a_closed_runner_refuses():
    async def main():
        say("main")

    runner = asyncio.Runner(loop_factory=new_loop)
    attempt("run", lambda: runner.run(main()))
    runner.close()
    runner.close()
    coro = main()
    attempt("run", lambda: runner.run(coro))
    coro.close()
    attempt("loop", lambda: runner.get_loop() and None)


def a_stopped_loop():
    async def main():
        asyncio.get_running_loop().call_later(1, asyncio.get_running_loop().stop)
        await sleeper("main", 2)

    run(main())


def a_thread_gives_its_result():
    var = contextvars.ContextVar("var", default=0)

    async def main():
        var.set(3)
        await told("thread", asyncio.to_thread(lambda a: a + var.get(), 4))
        await told("executor", asyncio.get_running_loop().run_in_executor(None, var.get))

        def bad():
            raise Oops("thread")

        await told("bad", asyncio.to_thread(bad))

    run(main())


def a_thread_is_waited_for_at_the_end():
    go = threading.Event()

    def work(loop, began):
        loop.call_soon_threadsafe(began.set_result, None)
        go.wait()
        ended.append("the thread ended")

    ended = []

    async def main():
        loop = asyncio.get_running_loop()
        began = loop.create_future()
        task = create_task(told("child", asyncio.to_thread(work, loop, began)))
        await began
        task.cancel("main")
        await task
        go.set()

    run(main())
    say(*ended)


def a_coroutine_from_another_thread():
    async def work():
        return 6

    async def bad():
        raise Oops("bad")

    async def main():
        loop = asyncio.get_running_loop()
        said = []

        def other():
            said.append(asyncio.run_coroutine_threadsafe(work(), loop).result())
            try:
                asyncio.run_coroutine_threadsafe(bad(), loop).result()
            except Oops as error:
                said.append(kind(error))

        await asyncio.to_thread(other)
        say(*said)

    run(main())
