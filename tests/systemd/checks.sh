#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs inside the booted container, as root: what an operator does with corund, and what systemd and the journal say of
# it. Writes TAP to /out/checks.tap. No check waits by sleeping: `until_true` polls for the event with a limit.
set -uo pipefail
exec >/out/checks.tap 2>/out/checks.log
set -x

count=0
details=()

ok() { # ok NAME: after a group of expectations
  count=$((count + 1))
  if [ ${#details[@]} -eq 0 ]; then
    printf 'ok %d - %s\n' "$count" "$1"
  else
    printf 'not ok %d - %s\n' "$count" "$1"
    printf '# %s\n' "${details[@]}"
    journalctl -u corund.service -u corund.socket -n 12 --no-pager -o short-monotonic | sed 's/^/#   /'
  fi
  details=()
}
note() { details+=("$(printf '%s' "$*" | tr '\n' '|' | cut -c1-2000)"); }

same() { [ "$2" = "$3" ] || note "$1 is '$3', not '$2'"; } # same WHAT EXPECTED SEEN
has() { case $3 in *"$2"*) ;; *) note "$1 does not hold '$2': $3" ;; esac; }
lacks() { case $3 in *"$2"*) note "$1 holds '$2': $3" ;; esac; }
holds() { "$@" >&2 || note "false: $*"; }
prop() { systemctl show -P "$1" "${2:-corund.service}"; }

until_true() { # until_true SECONDS COMMAND...
  local end=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$end" ] || {
      note "not within its time: $*"
      return 1
    }
    sleep 0.05
  done
}
state_is() { [ "$(prop ActiveState)" = "$1" ]; }
status_has() { case "$(prop StatusText)" in *"$1"*) true ;; *) false ;; esac; }
jobs_running() { [ "$(corunctl list --json 2>/dev/null | grep -c '"state": *"running"')" -ge "$1" ]; }
kinds_have() { corunctl kinds 2>/dev/null | grep -q "$1"; }

corunctl() { timeout 30 /usr/bin/corunctl "$@"; }

finish() {
  if [ -z "$completed" ]; then
    note "the last check that ended is number $count"
    ok "the checks run to their end"
  fi
  printf '1..%d\n' "$count"
  journalctl --no-pager -o short-precise >/out/journal.log 2>&1
}
completed=
trap finish EXIT
trap 'exit 1' TERM

export SYSTEMD_PAGER=cat SYSTEMD_COLORS=0

# ---- what the package brings
systemd-sysusers
holds id -u corund
holds getent group corund
ok "sysusers: the user and the group corund exist"

systemctl daemon-reload
verdict=$(systemd-analyze verify --man=no --recursive-errors=no corund.service corund.socket 2>&1)
same "the exit status of systemd-analyze verify" 0 $?
same "what it says" "" "$verdict"
for unit in /usr/lib/systemd/user/corund.service /usr/lib/systemd/user/corund.socket; do holds test -e "$unit"; done
same "Type" notify "$(prop Type)"
same "KillMode" mixed "$(prop KillMode)"
ok "units: systemd finds nothing to say about them"

# A daemon with the tests' own kinds.
mkdir -p /etc/corund
if [ -e /usr/lib/corund/test-plugins/corund-probe.so ]; then
  printf '[plugins]\ndirectories = ["/usr/lib/corund/test-plugins"]\n' >/etc/corund/corund.toml
fi

# ---- start
systemctl start corund
same "the exit status of systemctl start" 0 $?
answer=$(corunctl run echo x=1)
same "the exit status of a call made at once" 0 $?
has "the answer" '"x":1' "$(tr -d ' \n' <<<"$answer")"
same "ActiveState" active "$(prop ActiveState)"
holds test -n "$(prop StatusText)"
ok "start: READY=1 means that a call is answered"

same "the socket unit" active "$(prop ActiveState corund.socket)"
same "the socket's mode and group" "660 corund" "$(stat -c '%a %G' /run/corund/corund.sock)"
same "the daemon's user" corund "$(ps -o user= -p "$(prop MainPID)")"
ok "start: the socket belongs to systemd and to the group corund"

out=$(printf '{"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1}}}\n' |
  socat -t 5 - UNIX:/run/corund/corund.sock)
has "the reply" '"x":1' "$out"
ok "socat: a call typed by hand is answered"

# ---- who may connect
setpriv --reuid=65534 --regid=65534 --clear-groups timeout 30 corunctl run echo x=1 >/dev/null 2>&1
same "the exit status for a stranger" 125 $?
setpriv --reuid=65534 --regid=65534 --groups="$(getent group corund | cut -d: -f3)" timeout 30 corunctl run echo x=1 >/dev/null
same "the exit status for a member of the group" 0 $?
ok "access: a member of the group may call, a stranger cannot connect"

# ---- a command, its exit code, its journal
out=$(corunctl exec -- sh -c 'echo out; exit 3')
same "the exit status of corunctl exec" 3 $?
has "its output" out "$out"
ok "exec: the command's exit code and output come back"

id=$(corunctl list --json | grep -o '"id": *"[0-9A-Z]\{26\}"[^}]*"kind": *"exec"' | tail -n 1 | grep -o '[0-9A-Z]\{26\}')
same "the length of the exec job's id" 26 "${#id}"
journalctl --sync
entries=$(journalctl CORUND_JOB_ID="$id" -o json --no-pager)
has "its journal" '"CORUND_KIND":"exec"' "$(tr -d ' ' <<<"$entries")"
has "its journal" '"CORUND_STATE":"running"' "$(tr -d ' ' <<<"$entries")"
has "its journal" '"CORUND_STATE":"failed"' "$(tr -d ' ' <<<"$entries")"
has "its journal" '"MESSAGE":"out"' "$(tr -d ' ' <<<"$entries")"
has "its journal" '"CORUND_STREAM":"stdout"' "$(tr -d ' ' <<<"$entries")"
has "its journal" '"MESSAGE_ID":"' "$(tr -d ' ' <<<"$entries")"
ok "journal: CORUND_JOB_ID shows the command's life and output"

journalctl --update-catalog
has "journalctl -x" "Job $id has not succeeded: failed" "$(journalctl -x CORUND_JOB_ID="$id" --no-pager)"
ok "journal: the catalog explains the failure"

out=$(corunctl logs "$id")
has "corunctl logs" out "$out"
ok "corunctl logs shows the same"

# ---- journald stands still
journald=$(prop MainPID systemd-journald.service)
kill -STOP "$journald"
for _ in 1 2 3; do
  corunctl exec -- seq 1 4999 >/tmp/seq.out
  same "the exit status of a command" 0 $?
  same "the last line" 4999 "$(tail -n 1 /tmp/seq.out)"
done
holds corunctl run echo x=1
kill -CONT "$journald"
told_dropped() { journalctl -u corund.service --no-pager | grep -q 'records were dropped'; }
until_true 20 told_dropped
ok "journal: one that stands still delays nothing, and is told afterwards what it missed"

# ---- what a command inherits
environment=$(corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["env"]}}')
for name in NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES WATCHDOG_USEC WATCHDOG_PID STATE_DIRECTORY RUNTIME_DIRECTORY \
  CONFIGURATION_DIRECTORY SYSTEMD_EXEC_PID JOURNAL_STREAM; do
  lacks "a command's environment" "$name=" "$environment"
done
has "a command's environment" "PATH=" "$environment"
out=$(corunctl exec -- grep -E '^Sig(Ign|Blk):' /proc/self/status)
same "ignored and blocked signals" "0000000000000000 0000000000000000" \
  "$(awk '{ print $2 }' <<<"$out" | paste -sd' ')"
descriptors=$(corunctl exec -- sh -c 'ls /proc/self/fd | grep -v 3 | paste -sd" "')
same "its descriptors" "0 1 2" "$descriptors"
ok "exec: no NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*, no ignored signals, no foreign descriptors"

# ---- cgroups
tree=/sys/fs/cgroup$(prop ControlGroup)
same "the daemon's cgroup" "0::$(prop ControlGroup)/daemon" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
out=$(corunctl exec -- sed -n 's/^0:://p' /proc/self/cgroup)
has "a command's cgroup" "$(prop ControlGroup)/job-" "$out"
no_job_cgroups() { [ -z "$(find "$tree" -maxdepth 1 -name 'job-*')" ]; }
holds no_job_cgroups
ok "cgroups: the daemon in a leaf, each command in its own, nothing left behind"

# A leader, one of its group, and two that left it: all ignore SIGTERM.
cat >/tmp/stubborn <<'END'
trap '' TERM
sleep 1001 &
echo $! >>"$1"
setsid sh -c '(setsid sh -c "echo \$\$ >>$0; exec sleep 1002" &); echo $$ >>$0; exec sleep 1003' "$1" &
echo $$ >>"$1"
while :; do sleep 0.1; done
END
four_lines() { [ "$(wc -l <"$1")" -eq 4 ]; }
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
stubborn_tree() { # stubborn_tree FILE: runs it and cancels it
  rm -f "$1" && touch "$1" && chmod 666 "$1"
  stubborn_id=$(corunctl exec --detach --grace 300ms -- sh /tmp/stubborn "$1")
  until_true 10 four_lines "$1"
  corunctl cancel "$stubborn_id" >/tmp/cancel.out
  same "the exit status of corunctl cancel" 0 $?
  has "what it says" "grace" "$(cat /tmp/cancel.out)"
}
stubborn_tree /tmp/tree.delegated
for pid in $(cat /tmp/tree.delegated); do holds gone "$pid"; done
holds no_job_cgroups
same "ActiveState" active "$(prop ActiveState)"
ok "cgroups: a tree that ignores SIGTERM is gone after its grace, daemonised grandchildren too"

if grep -qw memory "$tree/cgroup.controllers"; then
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"shell":"x=$(head -c 300000000 /dev/zero | tr \\0 x)","limits":{"memory":33554432}}}' >/tmp/oom.out 2>&1
  has "the error" "out of memory" "$(cat /tmp/oom.out)"
  holds corunctl run echo x=1
  ok "cgroups: a job out of memory fails and says so, the daemon lives"
else
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["true"],"limits":{"memory":33554432}}}' >/tmp/oom.out 2>&1
  has "the error" "args.limits.memory" "$(cat /tmp/oom.out)"
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["true"],"limits":{"tasks":5}}}' >/tmp/tasks.out 2>&1
  has "the error" "args.limits.tasks" "$(cat /tmp/tasks.out)"
  ok "cgroups: limits that cannot be kept are refused by name (no memory controller here)"
fi

# What outlives a daemon does not outlive the next one's start.
rm -f /tmp/tree.killed && touch /tmp/tree.killed && chmod 666 /tmp/tree.killed
corunctl exec --detach -- sh /tmp/stubborn /tmp/tree.killed
until_true 10 four_lines /tmp/tree.killed
pid=$(prop MainPID)
kill -KILL "$pid"
anew() { state_is active && [ "$(prop MainPID)" != "$pid" ] && [ "$(prop MainPID)" != 0 ]; }
until_true 20 anew
for pid in $(cat /tmp/tree.killed); do holds gone "$pid"; done
holds no_job_cgroups
same "the daemon's cgroup" "0::$(prop ControlGroup)/daemon" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
ok "cgroups: after a crash nothing of the former commands is left"

mkdir -p /run/systemd/system/corund.service.d
printf '[Service]\nDelegate=no\n' >/run/systemd/system/corund.service.d/delegate.conf
systemctl daemon-reload
systemctl restart corund
same "the daemon's cgroup" "0::$(prop ControlGroup)" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
stubborn_tree /tmp/tree.plain
for pid in $(cat /tmp/tree.plain); do
  case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
    "sleep 1002 " | "sleep 1003 ") kill -KILL "$pid" ;; # which had left the group
    *) holds gone "$pid" ;;
  esac
done
ok "cgroups: without delegation the process group is gone after its grace"
rm -r /run/systemd/system/corund.service.d
systemctl daemon-reload
systemctl restart corund

# ---- stop waits for what runs, and says so meanwhile
corunctl exec -- sh -c 'sleep 3; echo finished' >/tmp/exec.out 2>&1 &
exec_client=$!
expected=1
thread_client=
if kinds_have probe.thread; then
  corunctl run probe.thread seconds=2 >/tmp/thread.out 2>&1 &
  thread_client=$!
  expected=2
else
  note "the probe plugin is not there"
fi
until_true 10 jobs_running $expected
cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
systemctl stop corund.service &
stop=$!
until_true 5 state_is deactivating
until_true 5 status_has "job"
status=$(systemctl status corund.service)
has "systemctl status" "Status:" "$status"
has "systemctl status" "job" "$status"
kill -0 "$stop" || note "systemctl stop did not wait"
ok "stop: systemctl status says meanwhile what is awaited"

wait "$exec_client"
same "the exit status of the running command's caller" 0 $?
has "its output" finished "$(cat /tmp/exec.out)"
if [ -n "$thread_client" ]; then
  wait "$thread_client"
  same "the exit status of the thread function's caller" 0 $?
fi
wait "$stop"
same "the exit status of systemctl stop" 0 $?
same "Result" success "$(prop Result)"
same "the daemon's exit status" 0 "$(prop ExecMainStatus)"
journalctl --sync
lacks "the journal" SIGKILL "$(journalctl -u corund.service --no-pager --after-cursor="$cursor")"
ok "stop: a running command and a thread function finish, and the daemon exits 0"

same "ActiveState" inactive "$(prop ActiveState)"
holds test -S /run/corund/corund.sock
same "the socket unit" active "$(prop ActiveState corund.socket)"
holds test ! -e /run/corund-daemon
ok "stop: the passed socket is not unlinked"

corunctl run echo woken=1 >/tmp/woken.out
same "the exit status" 0 $?
same "ActiveState" active "$(prop ActiveState)"
ok "activation: a call starts the stopped daemon"

# ---- restart: nobody is refused
before=$(prop MainPID)
corunctl exec -- sleep 2 &
holder=$!
until_true 10 jobs_running 1
systemctl restart corund.service &
restart=$!
until_true 5 state_is deactivating
corunctl run echo y=2 >/tmp/meanwhile.out
same "the exit status of a call made while it restarts" 0 $?
has "its answer" '"y":2' "$(tr -d ' \n' </tmp/meanwhile.out)"
wait "$holder"
same "the exit status of the call before" 0 $?
wait "$restart"
same "the exit status of systemctl restart" 0 $?
after=$(prop MainPID)
[ "$before" != "$after" ] || note "the same process answers: $after"
ok "restart: a call made meanwhile is served by the new process"

# ---- SIGTERM by hand is a clean end
pid=$(prop MainPID)
restarts=$(prop NRestarts)
kill -TERM "$pid"
until_true 10 state_is inactive
same "the exit status" 0 "$(prop ExecMainStatus)"
same "the exit code" exited "$(systemctl show -P ExecMainCode corund.service | sed 's/^1$/exited/')"
same "restarts" "$restarts" "$(prop NRestarts)"
ok "SIGTERM: exit status 0, and no restart"

# ---- watchdog
mkdir -p /run/systemd/system/corund.service.d
printf '[Service]\nWatchdogSec=2s\n' >/run/systemd/system/corund.service.d/watchdog.conf
systemctl daemon-reload
systemctl start corund
pid=$(prop MainPID)
first=$(prop WatchdogTimestampMonotonic)
pinged() { [ "$(prop WatchdogTimestampMonotonic)" -gt "$first" ]; }
until_true 5 pinged
same "WatchdogUSec" 2s "$(prop WatchdogUSec)"
first=$(prop WatchdogTimestampMonotonic)
until_true 5 pinged
same "the process" "$pid" "$(prop MainPID)"
ok "watchdog: the loop pings within the unit's limit"

kill -STOP "$pid"
renewed() { state_is active && [ "$(prop MainPID)" != "$pid" ] && [ "$(prop MainPID)" != 0 ]; }
until_true 20 renewed
journalctl --sync
has "the journal" "Watchdog timeout" "$(journalctl -u corund.service --no-pager)"
holds corunctl run echo x=1
ok "watchdog: a daemon that hangs is replaced"
rm -r /run/systemd/system/corund.service.d
systemctl daemon-reload

# ---- a configuration that cannot be
systemctl stop corund.socket corund.service
cp -a /etc/corund /etc/corund.good
printf '[stop]\ngrace = "soon"\nnonsense = 1\n' >/etc/corund/corund.toml
if systemctl start corund.service; then note "it started"; fi
same "the daemon's exit status" 6 "$(prop ExecMainStatus)"
same "restarts" 0 "$(prop NRestarts)"
journalctl --sync
said=$(journalctl -u corund.service -n 20 --no-pager)
has "the journal" "corund.toml:2" "$said"
has "the journal" "stop.nonsense" "$said"
ok "configuration: faults are named with file, line and key, exit status 6, no restart"
rm -r /etc/corund && mv /etc/corund.good /etc/corund
systemctl reset-failed corund.service corund.socket
systemctl start corund
holds corunctl run echo x=1
ok "configuration: mended, it starts again"

# ---- one daemon for a user
useradd -m someone
systemctl start "user@$(id -u someone).service"
as_someone() {
  setpriv --reuid=someone --regid=someone --init-groups \
    env -i HOME=/home/someone PATH=/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$(id -u someone)" "$@"
}
as_someone systemctl --user start corund
same "the exit status of systemctl --user start" 0 $?
out=$(as_someone corunctl exec -- id -un)
has "the user a command runs as" someone "$out"
as_someone systemctl --user stop corund.socket corund.service
same "the exit status of systemctl --user stop" 0 $?
ok "a user's own daemon: starts, runs commands as its user, stops"

completed=yes
