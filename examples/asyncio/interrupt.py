# SPDX-License-Identifier: MIT
import asyncio
import sys


async def serve():
    print("ready", flush=True)
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0.005)
        print("cleaned up")


try:
    asyncio.run(serve())
except KeyboardInterrupt:
    sys.exit(130)
