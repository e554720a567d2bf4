#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls every method of every interface that a corund offers, with python3-varlink, which is nobody's here: what it finds by introspection it
calls, and each method is given a call that must fail as well. Prints TAP. As root, since one caller is an administrator and one is not:

    every_method.py [ADDRESS]         the socket of a daemon; unix:/run/corund/corund.sock where none is named
"""

import contextlib
import grp
import itertools
import os
import sys
import traceback

import varlink

ADDRESS = sys.argv[1] if len(sys.argv) > 1 else "unix:/run/corund/corund.sock"
JOBS, DAEMON, SERVICE, VARLINK = "io.corund.Jobs", "io.corund.Daemon", "io.systemd.service", "org.varlink.service"
UNKNOWN = "01J00000000000000000000000"
NOBODY = 65534


class Caller:
    """One peer's connections: a handler for each interface, opened when it is first asked for."""

    def __init__(self, client):
        self.client = client
        self.handlers = {}

    def __getitem__(self, interface):
        if interface not in self.handlers:
            self.handlers[interface] = self.client.open(interface)
        return self.handlers[interface]

    def call(self, method, more=False, **parameters):
        """The reply; with `more` the list of them."""
        interface, name = method.rsplit(".", 1)
        if more:
            return list(getattr(self[interface], name)(_more=True, **parameters))
        return getattr(self[interface], name)(**parameters)

    def call_unchecked(self, method, more, parameters, through=None):
        """The same past the library's own check of parameters: what is wrong with them is for the daemon to find. `through`: the connection that was
        opened for another interface."""
        handler = self[through or method.rsplit(".", 1)[0]]
        call = {"method": method, "parameters": parameters}
        if more:
            call["more"] = True
        handler._send_message(varlink.error.json.dumps(call).encode())
        continues = True
        while continues:
            _, continues = handler._next_varlink_message()

    def close(self):
        for handler in self.handlers.values():
            with contextlib.suppress(Exception):
                handler.close()


@contextlib.contextmanager
def as_stranger():
    """Somebody who may connect and is no administrator: of the socket's group, if there is one of that name."""
    with contextlib.suppress(KeyError):
        os.setegid(grp.getgrnam("corund").gr_gid)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def private_caller():
    """Of a daemon that is started for this one caller, on its stdin and stdout."""
    argv = ["env", "SYSTEMD_VARLINK_LISTEN=-", "corund", "--log-level", "error"]
    return Caller(varlink.Client.new_with_bridge(argv))


def same(seen, expected, what):
    assert seen == expected, f"{what} is {seen!r}, not {expected!r}"


class Calls:
    """One function for each method, named as it is; each returns nothing and asserts what its reply must hold."""

    def __init__(self, caller):
        self.caller = caller

    def submit(self, kind="echo", **options):
        return self.caller.call(f"{JOBS}.Submit", kind=kind, **options)["id"]

    def ended(self):
        job = self.submit(args={"x": 1}, ack="memory")
        self.caller.call(f"{JOBS}.Wait", id=job)
        return job

    def of(self, method):
        return getattr(self, method.replace(".", "_"), None)

    # ---- io.corund.Jobs

    def io_corund_Jobs_Run(self, method):
        reply = self.caller.call(method, kind="echo", args={"x": 1})
        same(reply["state"], "succeeded", "the state")
        same(reply["result"], {"x": 1}, "the result")
        replies = self.caller.call(method, more=True, kind="exec", args={"argv": ["echo", "out"]})
        same([r["event"]["text"] for r in replies if (r.get("event") or {}).get("type") == "output"], ["out"], "the output")
        same(replies[-1]["result"]["exitCode"], 0, "the exit code")

    def io_corund_Jobs_Submit(self, method):
        reply = self.caller.call(method, kind="echo", args={"x": 1}, labels={"of": "python"})
        same(reply["ack"], "disk", "what is promised")
        same(len(reply["id"]), 26, "the length of the id")

    def io_corund_Jobs_SubmitMany(self, method):
        same(len(self.caller.call(method, jobs=[{"kind": "echo"}, {"kind": "echo", "priority": 3}])["ids"]), 2, "the number of ids")

    def io_corund_Jobs_Wait(self, method):
        same(self.caller.call(method, id=self.submit())["job"]["state"], "succeeded", "the state")

    def io_corund_Jobs_Watch(self, method):
        same(self.caller.call(method, more=True, id=self.ended())[-1]["event"]["type"], "ended", "the last event")

    def io_corund_Jobs_Show(self, method):
        job = self.ended()
        same(self.caller.call(method, id=job)["job"]["id"], job, "the id")

    def io_corund_Jobs_List(self, method):
        job = self.ended()
        same(self.caller.call(method, more=True, newestFirst=True, limit=1)[0]["job"]["id"], job, "the newest job")

    def io_corund_Jobs_Cancel(self, method):
        job = self.submit(kind="sleep", args={"seconds": 3600}, ack="memory")
        same(self.caller.call(method, id=job, reason="a check")["state"], "cancelled", "the state")

    def io_corund_Jobs_Retry(self, method):
        job = self.ended()
        assert self.caller.call(method, id=job)["id"] != job, "the copy has the id of what it is a copy of"

    def io_corund_Jobs_Remove(self, method):
        same(self.caller.call(method, id=self.ended())["count"], 1, "the number of records")

    def io_corund_Jobs_Logs(self, method):
        job = self.submit(kind="exec", args={"argv": ["echo", "out"]}, ack="memory")
        self.caller.call(f"{JOBS}.Wait", id=job)
        replies = self.caller.call(method, more=True, id=job)
        assert any(r.get("text") == "out" for r in replies), f"the output is not among {replies}"

    def io_corund_Jobs_Stack(self, method):
        job = self.submit(kind="sleep", args={"seconds": 3600}, ack="memory")
        stack = self.caller.call(method, id=job)
        self.caller.call(f"{JOBS}.Cancel", id=job)
        same(stack["tasks"][0]["id"], job, "the task's job")
        assert stack["tasks"][0]["frames"] and stack["text"]

    def io_corund_Jobs_ListKinds(self, method):
        names = {kind["name"] for kind in self.caller.call(method)["kinds"]}
        assert {"echo", "exec", "sleep"} <= names, names

    def io_corund_Jobs_ListContexts(self, method):
        self.caller.call(f"{JOBS}.Run", kind="echo", context="python")
        assert "python" in [context["name"] for context in self.caller.call(method)["contexts"]]

    def io_corund_Jobs_DropContext(self, method):
        self.caller.call(f"{JOBS}.Run", kind="echo", context="python")
        self.caller.call(method, name="python")
        assert "python" not in [context["name"] for context in self.caller.call(f"{JOBS}.ListContexts")["contexts"]]

    # ---- io.corund.Daemon

    def io_corund_Daemon_Status(self, method):
        status = self.caller.call(method)
        same(status["state"], "running", "the state")
        assert status["jobs"]["running"] >= 0 and status["pid"] > 1

    def group(self):
        self.caller.call(f"{DAEMON}.SetGroup", name="python", limit=2)
        return next(g for g in self.caller.call(f"{DAEMON}.Status")["groups"] if g["name"] == "python")

    def io_corund_Daemon_Pause(self, method):
        self.group()
        self.caller.call(method, group="python")
        same(self.group()["paused"], True, "whether the group is paused")

    def io_corund_Daemon_Resume(self, method):
        self.group()
        self.caller.call(method, group="python")
        same(self.group()["paused"], False, "whether the group is paused")

    def io_corund_Daemon_SetGroup(self, method):
        same(self.group()["limit"], 2, "the limit")

    def io_corund_Daemon_Drain(self, method):
        private = private_caller()
        private.call(method)
        fails(f"{JOBS}.Draining", lambda: private.call_unchecked(f"{JOBS}.Run", False, {"kind": "echo"}, through=DAEMON))
        private.close()

    def io_corund_Daemon_Reload(self, method):
        same(self.caller.call(method), {"changed": [], "needsRestart": []}, "what has changed")

    def io_corund_Daemon_Metrics(self, method):
        assert self.caller.call(method)["text"].endswith("# EOF\n")

    def io_corund_Daemon_SetLogLevel(self, method):
        self.caller.call(method, level=6)

    def io_corund_Daemon_Subscribe(self, method):
        subscriber = Caller(self.caller.client)
        changes = subscriber[DAEMON].Subscribe(_more=True)
        # The generator sends its call with the first next(), which waits for a change; it has none before the call is in force.
        submitter = os.fork()
        if submitter == 0:
            with contextlib.suppress(Exception):
                own = Calls(Caller(varlink.Client(address=ADDRESS)))
                for _ in itertools.repeat(None):
                    own.ended()
            os._exit(0)
        try:
            same(next(changes)["kind"], "echo", "the kind")
        finally:
            os.kill(submitter, 9)
            os.waitpid(submitter, 0)
            subscriber.close()

    # ---- io.systemd.service

    def io_systemd_service_Ping(self, method):
        same(self.caller.call(method), {}, "the reply")

    def io_systemd_service_Reload(self, method):
        same(self.caller.call(method), {}, "the reply")

    def io_systemd_service_SetLogLevel(self, method):
        same(self.caller.call(method, level=6), {}, "the reply")

    def io_systemd_service_GetEnvironment(self, method):
        assert all("=" in entry for entry in self.caller.call(method)["environment"])

    # ---- org.varlink.service

    def org_varlink_service_GetInfo(self, method):
        same(self.caller.call(method)["product"], "corund", "the product")

    def org_varlink_service_GetInterfaceDescription(self, method):
        assert "interface io.corund.Jobs" in self.caller.call(method, interface=JOBS)["description"]


def fails(name, call):
    """The call is answered with that error, which comes as an exception that says so."""
    try:
        call()
    except varlink.VarlinkError as error:
        same(error.error(), name, "the error")
        return error.parameters()
    raise AssertionError(f"it was answered, not refused with {name}")


# What each method refuses, by its own error where it has one: parameters, and the error's name. Others: a parameter that they do not know.
TYPICAL = {
    f"{JOBS}.Run": ({"kind": "exec", "args": {"argv": ["false"]}}, f"{JOBS}.JobFailed"),
    f"{JOBS}.Submit": ({"kind": "nothing"}, f"{JOBS}.KindNotFound"),
    f"{JOBS}.SubmitMany": ({"jobs": [{"kind": "echo"}, {"kind": "nothing"}]}, f"{JOBS}.KindNotFound"),
    f"{JOBS}.Wait": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Watch": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Show": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Cancel": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Retry": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Remove": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Logs": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.Stack": ({"id": UNKNOWN}, f"{JOBS}.JobNotFound"),
    f"{JOBS}.DropContext": ({"name": "none"}, f"{JOBS}.ContextNotFound"),
    f"{DAEMON}.Pause": ({"group": "none"}, f"{DAEMON}.GroupNotFound"),
    f"{DAEMON}.Resume": ({"group": "none"}, f"{DAEMON}.GroupNotFound"),
    f"{VARLINK}.GetInterfaceDescription": ({"interface": "a.b"}, f"{VARLINK}.InterfaceNotFound"),
}
# For administrators only: what a stranger is told.
ADMINISTRATORS = {
    f"{DAEMON}.Pause": {},
    f"{DAEMON}.Resume": {},
    f"{DAEMON}.SetGroup": {"name": "python", "limit": 1},
    f"{DAEMON}.Drain": {},
    f"{DAEMON}.Reload": {},
    f"{DAEMON}.SetLogLevel": {"level": 3},
    f"{SERVICE}.Reload": {},
    f"{SERVICE}.SetLogLevel": {"level": 3},
    f"{SERVICE}.GetEnvironment": {},
}


def methods_of(client):
    """Full name and description of each method, as the daemon itself tells."""
    for interface in client.get_interfaces():
        described = client.get_interface(interface)
        for member in described.members.values():
            if isinstance(member, varlink.scanner._Method):
                yield f"{interface}.{member.name}", member


def check(method, member, administrator, stranger, calls):
    call = calls.of(method)
    assert call, "no call of it is in this script"
    call(method)
    needs_more = "[Requires 'more' flag]" in (member.doc or "")
    parameters, name = TYPICAL.get(method, ({"nonsense": 1}, f"{VARLINK}.InvalidParameter"))
    told = fails(name, lambda: administrator.call_unchecked(method, needs_more, parameters))
    if name == f"{VARLINK}.InvalidParameter":
        same(told["parameter"], "nonsense", "the parameter")
    if needs_more:
        fails(f"{VARLINK}.ExpectedMore", lambda: administrator.call_unchecked(method, False, parameters))
    if method in ADMINISTRATORS:
        fails(f"{VARLINK}.PermissionDenied", lambda: stranger.call_unchecked(method, False, ADMINISTRATORS[method]))


def main():
    administrator = Caller(varlink.Client(address=ADDRESS))
    with as_stranger():
        stranger = Caller(varlink.Client(address=ADDRESS))
        for interface in (JOBS, DAEMON, SERVICE):  # the kernel remembers who connected
            stranger[interface]
    calls = Calls(administrator)
    count = failed = 0
    seen = set()
    for method, member in methods_of(administrator.client):
        count += 1
        seen.add(method)
        try:
            check(method, member, administrator, stranger, calls)
            print(f"ok {count} - {method}")
        except Exception:
            failed += 1
            print(f"not ok {count} - {method}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
            administrator.close()  # replies may be left in its connections
            administrator.handlers.clear()
    count += 1
    missing = sorted(name for name in (*TYPICAL, *ADMINISTRATORS) if name not in seen)
    print(f"{'not ok' if missing or len(seen) < 30 else 'ok'} {count} - introspection names every method")
    print("".join(f"# missing: {name}\n" for name in missing), end="")
    print(f"1..{count}")
    return 1 if failed or missing or len(seen) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
