# SPDX-License-Identifier: MIT
import asyncio


async def steady():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        print("steady: cancelled by its group")
        raise


async def faulty():
    await asyncio.sleep(0.005)
    raise RuntimeError("out of luck")


async def main():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(steady())
            group.create_task(faulty())
    except ExceptionGroup as group:
        print(group)
        for error in group.exceptions:
            print(" ", error)


asyncio.run(main())
