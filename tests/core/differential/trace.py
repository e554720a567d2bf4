# SPDX-License-Identifier: MIT
"""What the Python half of the differential test tells, and the clock it runs on. Its C++ counterpart is trace.hpp."""
import asyncio
import itertools
import selectors
import weakref


class Oops(Exception):
    """A failure of a scenario's own."""


DRAIN = 300  # asyncio's limit for the executor's threads at the end


class JumpingSelector(selectors.DefaultSelector):
    """Never sleeps while there is a timer: it moves the clock to it. But it waits for threads."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        if timeout is None or timeout <= 0 or timeout > DRAIN / 2:
            return super().select(timeout)
        events = super().select(0)
        if not events:
            self.now += timeout
        return events


# asyncio keeps the tasks of a group, and all tasks, in sets, so that it asks them to cancel in an order that changes from run to run. Here
# it is the order in which they were made, which is one of those.
numbers = itertools.count(1)
order = weakref.WeakKeyDictionary()
all_tasks = asyncio.all_tasks
asyncio.runners.tasks.all_tasks = lambda loop=None: sorted(all_tasks(loop), key=lambda task: order.get(task, 0))


class OrderedSet(dict):
    def add(self, item):
        self[item] = None

    def discard(self, item):
        self.pop(item, None)


class TaskGroup(asyncio.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = OrderedSet()


def make_task(loop, coro, **options):
    task = asyncio.Task(coro, loop=loop, **options)
    order[task] = next(numbers)
    return task


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.clock = JumpingSelector()
        super().__init__(self.clock)
        self.set_task_factory(make_task)
        self.set_exception_handler(lambda loop, context: report(context))

    def time(self):
        return self.clock.now


lines = []
unread = []  # reports of errors that nobody read: when they come is the collector's affair


def take_lines():
    taken = lines + sorted(unread)
    lines.clear()
    unread.clear()
    return taken


def new_loop():
    return JumpingLoop()


def say(*words):
    loop = asyncio._get_running_loop()
    words = [str(word).lower() if isinstance(word, bool) else str(word) for word in words]
    lines.append((f"{loop.time():g} " if loop else "- ") + " ".join(words))


def kind(error):
    """Type and, where the text is part of the promise, text."""
    if isinstance(error, BaseExceptionGroup):
        return "ExceptionGroup[" + ", ".join(map(kind, error.exceptions)) + "]"
    name = type(error).__name__
    if isinstance(error, (Oops, asyncio.CancelledError, SystemExit)) and str(error):
        return f"{name}({error})"
    return name


REPORTS = ("never retrieved", "destroyed but it is pending", "shutdown", "closing of asynchronous generator",
           "shielded future", "Exception in callback")


def report(context):
    message = context.get("message", "")
    said = next((part for part in REPORTS if part in message), message)
    error = context.get("exception")
    line = " ".join(["report:", said, *([kind(error)] if error else [])])
    (unread if said == "never retrieved" else lines).append(line)


async def told(who, awaitable):
    """Awaits and says how it ended. Swallows everything."""
    try:
        value = await awaitable
    except BaseException as error:
        say(who, "threw", kind(error))
        return
    say(who, "returned", *([] if value is None else [value]))


async def sleeper(who, seconds, value=None):
    say(who, "begins")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        say(who, "gets", kind(error))
        raise
    say(who, "ends")
    return value


async def failing(who, seconds):
    await asyncio.sleep(seconds)
    say(who, "fails")
    raise Oops(who)


async def stubborn(who, seconds, more, value=None):
    """Swallows a cancellation, and takes its time afterwards."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        say(who, "swallows", kind(error))
        await asyncio.sleep(more)
    say(who, "ends")
    return value


async def cleaning(who, seconds, more):
    """Awaits in its clean-up."""
    try:
        await asyncio.sleep(seconds)
    finally:
        say(who, "cleans up")
        await asyncio.sleep(more)
        say(who, "is clean")


async def spiteful(who, seconds):
    """Answers a cancellation with a failure."""
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        say(who, "fails")
        raise Oops(who) from None
    say(who, "ends")


def run(main, **options):
    """A whole run: what leaves it, and what is reported on the way, is said."""
    try:
        value = asyncio.run(main, loop_factory=new_loop, **options)
    except BaseException as error:
        say("run threw", kind(error))
    else:
        say("run returned", *([] if value is None else [value]))


def attempt(what, f):
    try:
        value = f()
    except BaseException as error:
        say(what, "threw", kind(error))
    else:
        say(what, "returned", *([] if value is None else [value]))
