# SPDX-License-Identifier: MIT
import asyncio


async def factorial(name, number):
    f = 1
    for i in range(2, number + 1):
        await asyncio.sleep(0.001)
        f *= i
    print(f"{name}: factorial({number}) = {f}")
    return f


async def main():
    a, b, c = await asyncio.gather(factorial("A", 2), factorial("B", 8), factorial("C", 5))
    print(a, b, c)


asyncio.run(main())
