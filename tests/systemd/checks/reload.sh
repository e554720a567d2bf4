# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The configuration: wrong at the start, and taken anew while it runs. Sourced by checks.sh.

# ---- a configuration that cannot be
systemctl stop corund.socket corund.service
cp -a /etc/corund /etc/corund.good
printf '[stop]\ngrace = "soon"\nnonsense = 1\n' >/etc/corund/corund.toml
if systemctl start corund.service; then note "it started"; fi
same "the daemon's exit status" 6 "$(prop ExecMainStatus)"
same "StatusErrno" 22 "$(prop StatusErrno)"
if [ "$systemd_version" -ge 257 ]; then same "StatusVarlinkError" io.corund.Daemon.BadConfiguration "$(prop StatusVarlinkError)"; fi
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

# Callers who wait while it cannot start are sent away, and do not make systemd give up on the socket.
systemctl stop corund.service
cp -a /etc/corund /etc/corund.good
printf '[stop]\ngrace = "soon"\n' >/etc/corund/corund.toml
waiting=()
for n in 1 2 3; do
  timeout 60 /usr/bin/corunctl run echo x=1 >"/tmp/waiting.$n" 2>&1 &
  waiting+=($!)
done
for n in 0 1 2; do
  wait "${waiting[$n]}"
  same "the exit status of a caller" 125 $?
done
same "the socket unit" active "$(prop ActiveState corund.socket)"
rm -rf /etc/corund && mv /etc/corund.good /etc/corund
until_true 20 corunctl run echo x=1
same "Result" success "$(prop Result)"
ok "configuration: callers who wait for a daemon that cannot start do not use up its starts"

# ---- taken anew
pid=$(main_pid)
cp -a /etc/corund /etc/corund.good
cursor=$(cursor_now)
printf '[jobs]\ngrace = "7s"\n[log]\nlevel = "debug"\n' >>/etc/corund/corund.toml
systemctl reload corund
same "the exit status of systemctl reload" 0 $?
journal_has "reloaded, changed: " -u corund.service --after-cursor="$cursor"
journal_has "jobs.grace" -u corund.service --after-cursor="$cursor"
same "ActiveState" active "$(prop ActiveState)"
same "the process" "$pid" "$(main_pid)"
ok "reload: what changed is in force when systemctl reload returns"

cursor=$(cursor_now)
printf '[jobs]\ngrace = "soon"\n' >/etc/corund/corund.toml
systemctl reload corund
status=$?
# Type=notify-reload has no way to fail; the status says what is the matter.
if [ "$systemd_version" -ge 253 ]; then same "the exit status of systemctl reload" 0 $status; else same "the exit status of systemctl reload" 1 $status; fi
has "StatusText" "the configuration is wrong" "$(prop StatusText)"
journal_has "corund.toml:2" -u corund.service --after-cursor="$cursor"
same "ActiveState" active "$(prop ActiveState)"
same "the process" "$pid" "$(main_pid)"
corunctl reload 2>/tmp/reload.said
same "the exit status of corunctl reload" 125 $?
has "what it says" "jobs.grace" "$(cat /tmp/reload.said)"
rm -rf /etc/corund && mv /etc/corund.good /etc/corund
holds systemctl reload corund
has "StatusText" ready "$(prop StatusText)"
holds corunctl run echo x=1
ok "reload: a configuration that is wrong changes nothing, and is told"
