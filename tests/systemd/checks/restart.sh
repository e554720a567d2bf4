# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Restarts: by hand, after a crash, and what is not restarted. Sourced by checks.sh.

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

# Callers without a pause, while the daemon is restarted three times.
caller() { # caller FILE: calls until the file is gone, and writes down how it went
  while [ -e /tmp/keep-calling ]; do
    if timeout 60 /usr/bin/corunctl run echo z=3 >/dev/null 2>>"$1.errors"; then echo ok; else echo refused; fi
  done >"$1"
}
touch /tmp/keep-calling
callers=()
for n in 1 2 3 4; do
  caller "/tmp/caller.$n" &
  callers+=($!)
done
called() { [ "$(cat /tmp/caller.? | wc -l)" -ge "$1" ]; }
for round in 1 2 3; do
  until_true 20 called $((round * 20))
  starts_anew
  holds systemctl restart corund.service
done
until_true 20 called 100
rm /tmp/keep-calling
wait "${callers[@]}"
same "calls that failed" 0 "$(cat /tmp/caller.? | grep -c refused)"
same "what was said of them" "" "$(cat /tmp/caller.?.errors)"
ok "restart: under load no caller is refused"

# ---- a crash
starts_anew
pid=$(main_pid)
restarts=$(prop NRestarts)
cursor=$(cursor_now)
kill -SEGV "$pid"
until_true 20 anew "$pid"
same "restarts" $((restarts + 1)) "$(prop NRestarts)"
journal_has "status=11/SEGV" -u corund.service --after-cursor="$cursor"
holds corunctl run echo x=1
ok "restart: a daemon that crashed is started again"

# ---- what does not get better by trying again
drop_in arguments ExecStart= 'ExecStart=/usr/sbin/corund --nonsense'
systemctl stop corund.socket corund.service
restarts=$(prop NRestarts)
if systemctl start corund.service 2>/dev/null; then note "it started"; fi
same "the exit status of a daemon with wrong arguments" 2 "$(prop ExecMainStatus)"
same "ActiveState" failed "$(prop ActiveState)"
no_drop_ins
systemctl stop corund.socket
systemctl reset-failed corund.service
drop_in store ExecStart= 'ExecStart=/usr/sbin/corund --state /proc/nowhere' RestartSec=100ms
if systemctl start corund.service 2>/dev/null; then note "it started"; fi
until_true 20 status_has /proc/nowhere
same "StatusErrno" 2 "$(prop StatusErrno)"
same "the exit status where the state directory cannot be" 1 "$(prop ExecMainStatus)"
tried_again() { [ "$(prop NRestarts)" -ge 1 ]; }
until_true 20 tried_again
no_drop_ins
systemctl stop corund.socket corund.service
systemctl reset-failed corund.service corund.socket
systemctl start corund
ok "restart: not with exit status 2, again with 1, and systemctl status says why"
