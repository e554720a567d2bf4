# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A daemon that hangs. Sourced by checks.sh.

# ---- watchdog
drop_in watchdog WatchdogSec=2s
systemctl restart corund
pid=$(prop MainPID)
first=$(prop WatchdogTimestampMonotonic)
pinged() { [ "$(prop WatchdogTimestampMonotonic)" -gt "$first" ]; }
until_true 5 pinged
same "WatchdogUSec" 2s "$(prop WatchdogUSec)"
first=$(prop WatchdogTimestampMonotonic)
until_true 5 pinged
same "the process" "$pid" "$(prop MainPID)"
ok "watchdog: the loop pings within the unit's limit"

cursor=$(cursor_now)
kill -STOP "$pid"
until_true 20 anew "$pid"
journal_has "Watchdog timeout" -u corund.service --after-cursor="$cursor"
holds corunctl run echo x=1
ok "watchdog: a daemon that hangs is replaced"

# A job that never awaits. What the manager does then is the last line, what the daemon said of it comes before.
cursor=$(cursor_now)
pid=$(main_pid)
id=$(corunctl submit probe.spin seconds=60)
until_true 20 anew "$pid"
said=$(said_since "$cursor" -o cat)
has "the journal" "Job $id has been blocking the event loop" "$said"
has "the journal" "probe.cpp" "$said"
has "the journal" "systemd's watchdog acts after" "$said"
has "the journal" "Watchdog timeout" "$said"
lacks "what came before the watchdog's end" "Watchdog timeout" "$(sed '/has been blocking/q' <<<"$said")"
same "the job's state" lost "$(corunctl show "$id" --json | grep -o '"state": *"[a-z]*"' | head -n 1 | sed 's/.*"\(.*\)"/\1/')"
ok "watchdog: before it acts the journal names the job that blocks the loop, and where"
no_drop_ins
systemctl restart corund
