#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says what every scenario says on this Python's asyncio (3.13 or newer), in the form of asyncio.txt: a title, then its lines.

A coroutine of one of the rooms below is a scenario, run as main; so is a plain function without parameters. Their order is
that of the source.
"""
import gc
import inspect
import platform
import sys

import combinations
import combinators
import contexts
import groups
import runners
import sigints
import syncs
import tasks
import trace


def scenarios(room):
    for name, function in vars(room).items():
        if getattr(function, "__module__", None) == room.__name__ and inspect.isfunction(function):
            if not inspect.signature(function).parameters and not name.startswith("interrupt"):
                yield name, function


def main():
    if sys.version_info < (3, 13):
        sys.exit("this needs Python 3.13 or newer: older ones differ in uncancel, timeouts, groups and Queue.shutdown")
    print(f"# Python {platform.python_version()}")
    for room in (tasks, contexts, groups, combinators, runners, sigints, syncs):
        for name, scenario in scenarios(room):
            trace.take_lines()
            if inspect.iscoroutinefunction(scenario):
                trace.run(scenario())
            else:
                scenario()
            gc.collect()
            print("==", name)
            for line in trace.take_lines():
                print(line)
    print("== combinations")
    for line in combinations.combinations():
        print(line)


if __name__ == "__main__":
    main()
