# SPDX-License-Identifier: MIT
"""gdb commands for programs that use libcorun, live or from a core file.

    (gdb) source corun.py
    (gdb) corun tasks            every task of every loop, with its await stack
    (gdb) corun tasks NAME       only those whose name or scope contains NAME

It reads the library's own records (loop_core.hpp, task_core.hpp, frame.hpp) and calls nothing in the program, so a core file is
as good as a running process. libcorun needs its debug information.
"""

import gdb

FUTURE_STATES = {0: "pending", 1: "finished", 2: "cancelled"}


def _type(name):
    return gdb.lookup_type("corun::detail::" + name)


def _std_string(value):
    """A std::string without its pretty-printer: pointer and length."""
    length = int(value["_M_string_length"])
    if length == 0:
        return ""
    return value["_M_dataplus"]["_M_p"].string(length=length, errors="replace")


def _linked(first, stop):
    """The links of an intrusive list after `first`, up to `stop`."""
    at = first["link_next"]
    while at != 0 and int(at) != stop:
        yield at
        at = at.dereference()["link_next"]


def loops():
    symbol = gdb.lookup_global_symbol("corun::detail::all_loops")
    if symbol is None:
        raise gdb.GdbError("no libcorun with debug information in this process")
    registry = symbol.value()
    first = registry["first"]
    offset = next(f.bitpos // 8 for f in _type("LoopCore").fields() if f.name == "in_process")
    pointer = _type("LoopCore").pointer()
    for link in _linked(first, int(first.address)):
        yield gdb.Value(int(link) - offset).cast(pointer).dereference()


def scopes(loop):
    yield loop["root_scope"]
    root = loop["scopes"]["root_"]
    scope = _type("ScopeCore").pointer()
    for link in _linked(root, int(root.address)):
        yield link.cast(scope).dereference()


def tasks(scope):
    root = scope["tasks"]["root_"]
    for link in _linked(root, int(root.address)):
        yield link.cast(_type("TaskLink").pointer()).cast(_type("TaskCore").pointer()).dereference()


def task_name(task):
    pointer = _unique_pointer(task["extras_"])
    if pointer != 0:
        name = _std_string(pointer.dereference()["name"])
        if name:
            return name
    return "Task-%d" % int(task["number"])


def _unique_pointer(unique):
    """The pointer in a std::unique_ptr with the default deleter: it is all that there is."""
    target = unique.type.strip_typedefs().template_argument(0)
    return unique.address.cast(target.pointer().pointer()).dereference()


def place(location):
    """(function, file, line) of a std::source_location; line 0 where it is empty."""
    impl = location["_M_impl"]
    if impl == 0:
        return ("?", "?", 0)
    impl = impl.dereference()
    function = impl["_M_function_name"].string(errors="replace").split("(")[0].split(" ")[-1]
    return (
        function,
        impl["_M_file_name"].string(errors="replace"),
        int(impl["_M_line"]),
    )


def frames(task):
    """The await stack, innermost first."""
    frame = task["top"]
    pointer = _type("FrameBase").pointer()
    while frame != 0:
        base = frame.dereference()
        function = place(base["function"])[0]
        _, file, line = place(base["await_at"])
        yield function, file, line
        frame = gdb.Value(int(base["caller_bits"]) & ~1).cast(pointer)


def state(task):
    if int(task["state"]) != 0:
        return FUTURE_STATES.get(int(task["state"]), "?")
    if not bool(task["started"]):
        return "not started"
    text = "waiting" if task["waiter"] != 0 else "ready or running"
    if task["waiter"] != 0:
        try:
            text += " on " + str(task["waiter"].dynamic_type.target())
        except gdb.error:
            pass
    if int(task["cancel_requests"]) > 0:
        text += ", cancelling"
    return text


class CorunCommand(gdb.Command):
    """Looks into libcorun's loops."""

    def __init__(self):
        super().__init__("corun", gdb.COMMAND_DATA, prefix=True)


class CorunTasks(gdb.Command):
    """corun tasks [TEXT]: every task with its await stack, innermost first; TEXT chooses by name or scope."""

    def __init__(self):
        super().__init__("corun tasks", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        wanted = argument.strip()
        shown = 0
        for loop in loops():
            print("loop %#x, %d tasks" % (int(loop.address), int(loop["tasks_alive"])))
            for scope in scopes(loop):
                label = _std_string(scope["label"])
                for task in tasks(scope):
                    name = task_name(task)
                    if wanted and wanted not in name and wanted not in label:
                        continue
                    shown += 1
                    print("* Task '%s'%s %s" % (name, " of " + label if label else "", state(task)))
                    for function, file, line in frames(task):
                        print("    in async %s at %s:%d" % (function, file, line))
        print("%d tasks shown" % shown)


CorunCommand()
CorunTasks()
