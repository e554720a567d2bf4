# SPDX-License-Identifier: MIT
import asyncio
import contextvars

visits = contextvars.ContextVar("visits", default=0)


async def visit():
    visits.set(visits.get() + 1)
    return visits.get()


with asyncio.Runner() as runner:
    for _ in range(3):
        print("visit", runner.run(visit()))
print("outside:", visits.get())
