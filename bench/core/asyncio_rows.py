# SPDX-License-Identifier: MIT
"""The same rows in Python's asyncio. Reads "ROW<tab>OPS" lines, answers "CPU_NS WALL_NS LATE_US" per operation (LATE_US or "-"), so that
bench_core can interleave its rounds with the others'."""
import asyncio
import gc
import socket
import sys
import time


async def leaf(x):
    return x + 1


async def nested(ops):
    total = 0
    for _ in range(ops):
        total = await leaf(total)


async def chain_of(depth):
    if depth == 1:
        return 1
    return 1 + await chain_of(depth - 1)


async def chain(ops):
    for _ in range(0, ops, 20):
        await chain_of(20)


async def yields(ops):
    for _ in range(ops):
        await asyncio.sleep(0)


async def nothing():
    pass


async def spawn(ops):
    for _ in range(ops):
        await asyncio.create_task(nothing())


async def batch(ops):
    for _ in range(0, ops, 1000):
        for task in [asyncio.create_task(nothing()) for _ in range(1000)]:
            await task


async def cancel(ops):
    for _ in range(ops):
        task = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


async def thrower(depth):
    if depth == 1:
        raise ValueError
    return 1 + await thrower(depth - 1)


async def throws(ops, depth):
    for _ in range(ops):
        try:
            await thrower(depth)
        except ValueError:
            pass


async def sleeper(late):
    until = time.monotonic_ns() + 10_000_000
    await asyncio.sleep(0.010)
    late.append(time.monotonic_ns() - until)


async def sleeps(ops):
    late = []
    for task in [asyncio.create_task(sleeper(late)) for _ in range(ops)]:
        await task
    return sorted(late)[len(late) // 2] / 1000


async def timer(ops):
    for _ in range(ops):
        await asyncio.sleep(20e-6)


async def sockets(ops):
    loop = asyncio.get_running_loop()
    a, b = socket.socketpair()
    a.setblocking(False)
    b.setblocking(False)
    for _ in range(ops):
        await loop.sock_sendall(a, b"x")
        await loop.sock_recv(b, 1)
    a.close()
    b.close()


def empty():
    pass


async def threads(ops):
    for _ in range(ops):
        await asyncio.to_thread(empty)


async def queue(ops):
    q = asyncio.Queue()
    for _ in range(ops):
        await q.put(1)
        await q.get()


async def handover(ops):
    q = asyncio.Queue(1)

    async def produce():
        for _ in range(ops):
            await q.put(1)

    task = asyncio.create_task(produce())
    for _ in range(ops):
        await q.get()
    await task


ROWS = {
    "nested await": nested,
    "await chain of 20, per frame": chain,
    "yield": yields,
    "spawn and join one": spawn,
    "spawn and join, batches of 1000": batch,
    "cancel a sleeper": cancel,
    "throw through 1 frame": lambda ops: throws(ops, 1),
    "throw through 10 frames": lambda ops: throws(ops, 10),
    "1024 sleeps of 10 ms": sleeps,
    "sleep 20 us, one by one": timer,
    "socket pair, write and read a byte": sockets,
    "to_thread": threads,
    "queue, put and get": queue,
    "queue, hand over between two tasks": handover,
}


def main():
    with asyncio.Runner() as runner:
        print("ready", flush=True)
        for line in sys.stdin:
            row, ops = line.rstrip("\n").split("\t")
            ops = int(ops)
            gc.collect()
            wall, cpu = time.monotonic_ns(), time.process_time_ns()
            late = runner.run(ROWS[row](ops))
            cpu, wall = time.process_time_ns() - cpu, time.monotonic_ns() - wall
            print(cpu / ops, wall / ops, "-" if late is None else late, flush=True)


main()
