# SPDX-License-Identifier: MIT
"""Task groups and timeouts. The same in C++: groups.cpp."""
import asyncio
from asyncio import CancelledError, create_task, current_task, sleep, timeout

from trace import Oops, TaskGroup, cleaning, failing, kind, say, sleeper, spiteful, stubborn, told


async def group_waits_for_its_children():
    async def body():
        async with TaskGroup() as group:
            a = group.create_task(sleeper("a", 2, 1))
            group.create_task(sleeper("b", 1))
            say("body ends")
        return a.result()

    await told("main", body())


async def group_child_fails():
    async def body():
        async with TaskGroup() as group:
            group.create_task(failing("a", 1))
            group.create_task(sleeper("b", 5))
            group.create_task(cleaning("c", 5, 1))
            await told("body", sleep(9))

    await told("main", body())
    say(current_task().cancelling())


async def group_body_fails():
    async def body():
        async with TaskGroup() as group:
            group.create_task(sleeper("a", 5))
            await sleep(1)
            raise Oops("body")

    await told("main", body())


async def group_with_two_failures():
    async def body():
        async with TaskGroup() as group:
            group.create_task(failing("a", 1))
            group.create_task(spiteful("b", 5))
            await sleep(0.5)
            raise Oops("body")

    await told("main", body())


async def group_cancelled_from_outside():
    async def body():
        async with TaskGroup() as group:
            group.create_task(sleeper("a", 5))
            group.create_task(cleaning("b", 5, 1))

    task = create_task(body())
    await sleep(1)
    task.cancel("outside")
    await told("main", task)
    say(task.cancelling())


async def group_cancelled_and_failing_in_its_clean_up():
    async def body():
        async with TaskGroup() as group:
            group.create_task(spiteful("a", 5))

    async def outer():
        await told("outer", body())
        say(current_task().cancelling())
        await told("later", sleep(1))

    task = create_task(outer())
    await sleep(1)
    task.cancel("outside")
    await told("main", task)


async def group_child_cancelled_alone():
    async def body():
        async with TaskGroup() as group:
            a = group.create_task(sleeper("a", 5))
            group.create_task(sleeper("b", 2))
            await sleep(1)
            a.cancel("alone")

    await told("main", body())


async def group_child_swallows():
    async def body():
        async with TaskGroup() as group:
            group.create_task(failing("a", 1))
            group.create_task(stubborn("b", 5, 2))

    await told("main", body())


async def groups_in_groups():
    async def inner():
        async with TaskGroup() as group:
            group.create_task(failing("x", 1))
            group.create_task(sleeper("y", 5))

    async def body():
        async with TaskGroup() as group:
            group.create_task(inner())
            group.create_task(cleaning("z", 5, 1))

    await told("main", body())


async def group_grows_while_it_waits():
    async def body():
        async with TaskGroup() as group:
            async def parent():
                await sleep(1)
                group.create_task(sleeper("grandchild", 1))
                say("parent ends")

            group.create_task(parent())

    await told("main", body())


async def group_refuses_when_it_is_over():
    kept = []

    async def body():
        async with TaskGroup() as group:
            kept.append(group)

            async def late():
                try:
                    await sleep(5)
                finally:
                    try:
                        group.create_task(sleeper("late", 1))
                    except RuntimeError as error:
                        say("late", kind(error))

            group.create_task(late())
            group.create_task(failing("a", 1))

    await told("main", body())


async def group_inside_a_timeout():
    async def body():
        async with timeout(2) as limit:
            async with TaskGroup() as group:
                group.create_task(sleeper("a", 5))
                group.create_task(cleaning("b", 5, 1))

    await told("main", body())
    say(current_task().cancelling())


async def group_inside_a_timeout_fails_in_its_clean_up():
    async def body():
        async with timeout(2):
            async with TaskGroup() as group:
                group.create_task(spiteful("a", 5))

    await told("main", body())
    say(current_task().cancelling())


async def timeouts_inside_a_group():
    async def limited(who, seconds):
        async with timeout(seconds):
            await sleeper(who, 3)

    async def body():
        async with TaskGroup() as group:
            group.create_task(limited("a", 4))
            group.create_task(limited("b", 2))

    await told("main", body())


async def timeout_expires():
    async def body():
        async with timeout(2) as limit:
            await sleeper("body", 5)

    await told("main", body())
    say(current_task().cancelling())


async def timeout_does_not_expire():
    async def body():
        async with timeout(2) as limit:
            value = await sleeper("body", 1, 3)
        say(limit.expired())
        return value

    await told("main", body())


async def timeout_is_swallowed():
    async def body():
        async with timeout(2) as limit:
            await stubborn("body", 5, 1)
            say(limit.expired())
        say(current_task().cancelling())

    await told("main", body())


async def timeout_meets_another_error():
    async def body():
        async with timeout(2):
            await spiteful("body", 5)

    await told("main", body())
    say(current_task().cancelling())


async def timeout_cancelled_from_outside():
    async def body():
        async with timeout(2) as limit:
            try:
                await sleeper("body", 5)
            finally:
                say(limit.expired())

    task = create_task(body())
    await sleep(1)
    task.cancel("outside")
    await told("main", task)


async def timeout_and_a_cancellation_in_its_clean_up():
    async def body():
        async with timeout(2):
            await cleaning("body", 5, 2)

    task = create_task(body())
    await sleep(3)
    task.cancel("outside")
    await told("main", task)


async def timeout_of_nothing_fires_at_the_first_await():
    async def body():
        async with timeout(0):
            say("body begins")
            await sleeper("body", 1)

    await told("main", body())

    async def past():
        async with timeout(-1):
            return 1

    await told("no await", past())


async def timeout_rescheduled():
    async def body():
        loop = asyncio.get_running_loop()
        async with timeout(1) as limit:
            limit.reschedule(loop.time() + 3)
            await told("longer", sleep(2))
            limit.reschedule(None)
            await told("never", sleep(2))
            limit.reschedule(loop.time() - 1)
            await sleep(5)

    await told("main", body())


async def timeout_rescheduled_when_it_is_over():
    kept = []

    async def body():
        async with timeout(1) as limit:
            kept.append(limit)
            try:
                await sleep(5)
            except CancelledError:
                try:
                    limit.reschedule(None)
                except RuntimeError as error:
                    say(kind(error))
                raise

    await told("main", body())


async def timeouts_nested_the_outer_fires():
    async def body():
        async with timeout(1) as outer:
            try:
                async with timeout(2) as inner:
                    await sleeper("body", 5)
            finally:
                say("inner", inner.expired(), "outer", outer.expired())

    await told("main", body())


async def timeouts_nested_the_inner_fires():
    async def body():
        async with timeout(2):
            async def inner():
                async with timeout(1):
                    await sleeper("body", 5)

            await told("inner", inner())
            await sleep(5)

    await told("main", body())


async def timeouts_nested_both_fire():
    async def body():
        async with timeout(2) as outer:
            async with timeout(1) as inner:
                await cleaning("body", 5, 3)

    await told("main", body())
    say(current_task().cancelling())
