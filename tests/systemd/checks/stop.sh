# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The stop: what is awaited, for how long, and what is said meanwhile. Sourced by checks.sh.

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
running=$(corunctl list --json | grep '"kind": *"exec"' | grep '"state": *"running"' | grep -o '"id": *"[0-9A-Z]*"' | grep -o '[0-9A-Z]\{26\}')
cursor=$(cursor_now)
systemctl stop corund.service &
stop=$!
until_true 5 state_is deactivating
until_true 5 status_has "waiting for $expected job"
status=$(systemctl status corund.service)
has "systemctl status" "Status:" "$status"
has "systemctl status" "exec $running" "$status"
has "systemctl status" " s left" "$status"
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
lacks "the journal" SIGKILL "$(said_since "$cursor")"
ok "stop: a running command and a thread function finish, and the daemon exits 0"

same "ActiveState" inactive "$(prop ActiveState)"
holds test -S "$socket"
same "the socket unit" active "$(prop ActiveState corund.socket)"
holds test ! -e /run/corund-daemon
ok "stop: the passed socket is not unlinked"

corunctl run echo woken=1 >/tmp/woken.out
same "the exit status" 0 $?
same "ActiveState" active "$(prop ActiveState)"
ok "activation: a call starts the stopped daemon"

# ---- SIGTERM by hand is a clean end
pid=$(prop MainPID)
restarts=$(prop NRestarts)
kill -TERM "$pid"
until_true 10 state_is inactive
same "the exit status" 0 "$(prop ExecMainStatus)"
same "the exit code" exited "$(systemctl show -P ExecMainCode corund.service | sed 's/^1$/exited/')"
same "restarts" "$restarts" "$(prop NRestarts)"
ok "SIGTERM: exit status 0, and no restart"

# ---- longer than the manager's patience
drop_in patience TimeoutStopSec=2s
systemctl start corund
corunctl exec -- sh -c 'sleep 6; echo finished' >/tmp/exec.out 2>&1 &
exec_client=$!
until_true 10 jobs_running 1
cursor=$(cursor_now)
systemctl stop corund.service
same "the exit status of systemctl stop" 0 $?
wait "$exec_client"
same "the exit status of the running command's caller" 0 $?
has "its output" finished "$(cat /tmp/exec.out)"
same "Result" success "$(prop Result)"
lacks "the journal" SIGKILL "$(said_since "$cursor")"
ok "stop: TimeoutStopSec=2s, and a drain of 6 seconds succeeds"
no_drop_ins

# A job that ignores what it is told: first the stop's grace, then the job's own, then SIGKILL.
cp -a /etc/corund /etc/corund.good
printf '[stop]\ngrace = "1s"\n' >>/etc/corund/corund.toml
systemctl start corund
rm -f "$state/told"
id=$(corunctl exec --detach --grace 1s -- sh -c 'trap "echo told >>'"$state"'/told" TERM; echo >>'"$state"'/told; while :; do sleep 0.1; done' )
begun() { [ -s "$state/told" ]; }
until_true 10 begun
cursor=$(cursor_now)
systemctl stop corund.service &
stop=$!
until_true 5 status_has "cancelled, waiting for 1 job"
wait "$stop"
same "the exit status of systemctl stop" 0 $?
same "Result" success "$(prop Result)"
has "what the command was told" told "$(cat "$state/told")"
journal_has "$id" -u corund.service -o cat CORUND_JOB_ID="$id" -o json --after-cursor="$cursor"
lacks "the journal" "left-over process" "$(said_since "$cursor")"
rm -rf /etc/corund && mv /etc/corund.good /etc/corund
systemctl start corund
same "the job's state afterwards" cancelled "$(corunctl show "$id" --json | grep -o '"state": *"[a-z]*"' | head -n 1 | sed 's/.*"\(.*\)"/\1/')"
ok "stop: a job that outlives stop.grace is cancelled, then escalated, and the stop succeeds"
