# SPDX-License-Identifier: MIT
"""SIGINT to a run, in whatever main is in. The same in C++: sigints.cpp."""
import asyncio
import signal
from asyncio import CancelledError, create_task, current_task, shield, sleep

from trace import TaskGroup, attempt, cleaning, new_loop, run, say, sleeper, spiteful, stubborn, told


def interrupt():
    signal.raise_signal(signal.SIGINT)


def interrupt_after(seconds):
    asyncio.get_running_loop().call_later(seconds, interrupt)


def sigint_cancels_main():
    async def main():
        interrupt_after(1)
        await sleeper("main", 5)

    run(main())


def sigint_is_swallowed():
    async def main():
        interrupt_after(1)
        await told("sleep", sleep(5))
        say(current_task().cancelling())
        await sleep(1)
        return 7

    run(main())


def sigint_becomes_another_error():
    async def main():
        interrupt_after(1)
        await spiteful("main", 5)

    run(main())


def sigint_in_synchronous_code():
    async def main():
        interrupt()
        say("goes on")
        await told("sleep", sleep(5))
        return 1

    run(main())


def sigint_and_an_uncancel():
    async def main():
        interrupt_after(1)
        try:
            await sleep(5)
        except CancelledError:
            say(current_task().uncancel())
            raise

    run(main())


def sigint_and_a_cancellation():
    async def main():
        me = current_task()

        def both():
            me.cancel("sibling")
            interrupt()

        asyncio.get_running_loop().call_later(1, both)
        await sleeper("main", 5)

    run(main())


def sigint_swallowed_and_a_later_cancellation():
    async def main():
        interrupt_after(1)
        await told("first", sleep(5))
        current_task().cancel("own")
        await sleep(1)

    run(main())


def sigint_twice():
    async def main():
        interrupt_after(1)
        interrupt_after(2)
        await cleaning("main", 5, 5)

    run(main())


def sigint_twice_and_main_goes_on():
    async def main():
        interrupt_after(1)
        interrupt_after(2)
        await stubborn("main", 5, 3)
        return 5

    async def second():
        await sleep(3)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        attempt("first", lambda: runner.run(main()))
        attempt("second", lambda: runner.run(second()))


def sigint_in_each_of_two_runs():
    async def main():
        interrupt_after(1)
        await sleep(5)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        attempt("first", lambda: runner.run(main()))
        attempt("second", lambda: runner.run(main()))


def sigint_in_a_group():
    async def main():
        interrupt_after(1)
        async with TaskGroup() as group:
            group.create_task(sleeper("a", 5))
            group.create_task(cleaning("b", 5, 1))

    run(main())


def sigint_in_a_group_that_fails_in_its_clean_up():
    async def main():
        interrupt_after(1)
        async with TaskGroup() as group:
            group.create_task(spiteful("a", 5))

    run(main())


def sigint_under_a_timeout():
    async def main():
        interrupt_after(1)
        async with asyncio.timeout(3):
            await sleeper("main", 5)

    run(main())


def sigint_in_the_clean_up_of_a_timeout():
    async def main():
        interrupt_after(3)
        async with asyncio.timeout(2):
            await cleaning("main", 5, 2)

    run(main())


def sigint_and_a_shield():
    async def main():
        interrupt_after(1)
        inner = create_task(cleaning("inner", 5, 1))
        await shield(inner)

    run(main())


def sigint_in_gather():
    async def main():
        interrupt_after(1)
        await asyncio.gather(sleeper("a", 5), stubborn("b", 5, 1))

    run(main())


def sigint_and_leftovers():
    async def main():
        create_task(cleaning("leftover", 9, 1))
        create_task(spiteful("spiteful", 9))
        interrupt_after(1)
        await sleeper("main", 5)

    run(main())


def sigint_while_a_child_is_awaited():
    async def main():
        interrupt_after(1)
        child = create_task(stubborn("child", 5, 1, 3))
        say(await child, current_task().cancelling())
        await told("later", sleep(1))

    run(main())


def sigint_in_a_generator():
    async def numbers():
        try:
            yield 1
            await sleep(5)
        finally:
            await sleep(1)
            say("generator is clean")

    async def main():
        interrupt_after(1)
        async for i in numbers():
            say(i)

    run(main())


def sigint_has_a_handler_of_mains_own():
    async def main():
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: say("handled"))
        asyncio.get_running_loop().call_soon(interrupt)
        await sleep(0)
        await sleep(0)
        await asyncio.to_thread(lambda: None)
        return 1

    run(main())
