# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The start, and who may connect. Sourced by checks.sh.

# ---- start
drop_in slow Environment=PROBE_START_SECONDS=1
systemctl start corund &
start=$!
until_true 10 state_is activating
same "the exit status of systemctl is-active, before the plugin's start is over" 3 "$(systemctl is-active corund >/dev/null; echo $?)"
wait $start
same "the exit status of systemctl start" 0 $?
same "ActiveState" active "$(prop ActiveState)"
no_drop_ins
answer=$(corunctl run echo x=1)
same "the exit status of a call made at once" 0 $?
has "the answer" '"x":1' "$(tr -d ' \n' <<<"$answer")"
same "ActiveState" active "$(prop ActiveState)"
holds test -n "$(prop StatusText)"
ok "start: READY=1 means that a call is answered"

same "the socket unit" active "$(prop ActiveState corund.socket)"
same "the socket's mode and group" "660 corund" "$(stat -c '%a %G' "$socket")"
same "the daemon's user" corund "$(ps -o user= -p "$(prop MainPID)")"
ok "start: the socket belongs to systemd and to the group corund"

out=$(printf '{"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1}}}\n' |
  socat -t 5 - UNIX:$socket)
has "the reply" '"x":1' "$out"
ok "socat: a call typed by hand is answered"

# ---- who may connect
setpriv --reuid=65534 --regid=65534 --clear-groups timeout 30 corunctl run echo x=1 >/dev/null 2>&1
same "the exit status for a stranger" 125 $?
setpriv --reuid=65534 --regid=65534 --groups="$(getent group corund | cut -d: -f3)" timeout 30 corunctl run echo x=1 >/dev/null
same "the exit status for a member of the group" 0 $?
ok "access: a member of the group may call, a stranger cannot connect"
runuser -u corund -- timeout 30 corunctl pause >/dev/null 2>&1
same "the exit status of a pause by the daemon's own user" 125 $?
holds runuser -u corund -- timeout 30 corunctl run echo x=1
ok "access: the system daemon's own user runs jobs and administers nothing"

# ---- two of them
said=$(runuser -u corund -- timeout 20 /usr/sbin/corund --socket "$state/second.sock" --state "$state" 2>&1)
same "the exit status of a second daemon on the same store" 1 $?
has "what it says" "$(main_pid)" "$said"
said=$(runuser -u corund -- timeout 20 /usr/sbin/corund --socket "$socket" --state "$state/second" 2>&1)
same "the exit status of a second daemon on the same socket" 1 $?
has "what it says" "socket '$socket' is in use by pid 1" "$said" # systemd's
holds corunctl run echo x=1
ok "start: a second daemon on the same store or socket is refused, and names the first"
