# SPDX-License-Identifier: MIT
import asyncio


async def hello():
    print("hello")
    await asyncio.sleep(0.01)
    print("world")


asyncio.run(hello())
