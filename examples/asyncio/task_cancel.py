# SPDX-License-Identifier: MIT
import asyncio


async def worker():
    print("worker: before sleep")
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError as error:
        print(f"worker: cancelled ({error}), cleaning up")
        raise  # let it pass


async def main():
    task = asyncio.create_task(worker())
    await asyncio.sleep(0.01)
    task.cancel("no longer needed")
    try:
        await task
    except asyncio.CancelledError:
        print("main: worker is cancelled now")


asyncio.run(main())
