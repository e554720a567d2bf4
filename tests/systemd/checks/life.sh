# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What is left of a service's life: jobs that know systemd, and a daemon that has nothing to do. Sourced by checks.sh.

# ---- a job that talks to the manager
cursor=$(cursor_now)
before=$(prop StatusText)
corunctl exec -- sh -c 'systemd-notify --status=hijacked READY=1 STOPPING=1 MAINPID=1 2>&1; echo "here: $NOTIFY_SOCKET"' >/tmp/notify.out
has "what the command sees" "here: " "$(cat /tmp/notify.out)"
same "its NOTIFY_SOCKET" "here: " "$(grep here: /tmp/notify.out)"
# Even one that finds the manager's socket by itself.
corunctl exec -- env NOTIFY_SOCKET=/run/systemd/notify systemd-notify --status=hijacked >/tmp/notify.out 2>&1
holds corunctl run echo x=1
same "StatusText" "$before" "$(prop StatusText)"
same "ActiveState" active "$(prop ActiveState)"
ok "sd_notify: a job that calls it does not confuse the manager"

# ---- nothing to do
drop_in quiet WatchdogSec=0
systemctl restart corund
holds corunctl run echo x=1
wakeups() { cat /proc/"$(main_pid)"/task/*/status | awk '/ctxt_switches/ { sum += $2 } END { print sum }'; }
settled() { # what the calls before have started is over
  local first
  first=$(wakeups)
  read -r -t 1 <>/tmp/never || true
  [ "$(wakeups)" = "$first" ]
}
rm -f /tmp/never && mkfifo /tmp/never
until_true 20 settled
first=$(wakeups)
read -r -t 5 <>/tmp/never # five seconds in which nothing happens are what is measured
same "wake-ups of all threads in 5 s" "$first" "$(wakeups)"
rss=$(awk '/^VmRSS/ { print $2 }' /proc/"$(main_pid)"/status)
[ "$rss" -le 12288 ] || note "resident: $rss KiB"
used=$(awk '{ print ($14 + $15) * 10 }' "/proc/$(main_pid)/stat")
printf '# idle: %s KiB resident; %s ms of CPU since the start, %s threads\n' "$rss" "$used" "$(ls /proc/"$(main_pid)"/task | wc -l)"
ok "idle: no thread wakes, 12 MiB at most"
no_drop_ins
systemctl restart corund
