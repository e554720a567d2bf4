# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A daemon that makes its socket itself, over a restart and a crash: the manager keeps it meanwhile (systemd 254). Sourced by checks.sh.
# shellcheck disable=SC2154  # of checks.sh
[ "$systemd_version" -ge 254 ] || return 0

cat >/run/systemd/system/kept.service <<'END'
[Service]
Type=notify
ExecStart=/usr/sbin/corund --socket /run/kept/socket --state :memory:
FileDescriptorStoreMax=4
KillMode=mixed
Restart=on-failure
RestartSec=1s
END
systemctl daemon-reload
systemctl start kept
same "the exit status of systemctl start" 0 $?
kept() { CORUND_SOCKET=/run/kept/socket timeout 30 /usr/bin/corunctl "$@"; }
kept_is() { [ "$(prop ActiveState kept.service)" = "$1" ]; }
kept_runs() { kept list --json 2>/dev/null | grep -q '"state": *"running"'; }
holds kept run echo x=1
same "the number of descriptors that are kept" 1 "$(prop NFileDescriptorStore kept.service)"

kept exec -- sleep 2 >/dev/null &
holder=$!
until_true 10 kept_runs
systemctl restart kept &
restart=$!
until_true 5 kept_is deactivating
out=$(kept run echo y=2)
same "the exit status of a call made while it restarts" 0 $?
has "its answer" '"y":2' "$(tr -d ' \n' <<<"$out")"
wait "$holder"
same "the exit status of the call before" 0 $?
wait "$restart"
same "the exit status of systemctl restart" 0 $?
same "the number of descriptors that are kept" 1 "$(prop NFileDescriptorStore kept.service)"
ok "own socket: a call made while the daemon restarts waits for the next one, without a socket unit"

pid=$(prop MainPID kept.service)
kill -KILL "$pid"
out=$(kept run echo z=3)
same "the exit status of a call made after a crash" 0 $?
has "its answer" '"z":3' "$(tr -d ' \n' <<<"$out")"
[ "$(prop MainPID kept.service)" != "$pid" ] || note "the same process answers: $pid"
ok "own socket: a call made after a crash is served by the process that follows"

systemctl stop kept
same "Result" success "$(prop Result kept.service)"
systemctl start kept
holds kept run echo x=1
systemctl stop kept
ok "own socket: what a stop leaves at its path does not disturb the next start"
rm -r /run/systemd/system/kept.service /run/kept
systemctl daemon-reload
