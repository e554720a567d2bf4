# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The journal: what is found there, and one that stands still. Sourced by checks.sh.

# ---- journald stands still
journald=$(prop MainPID systemd-journald.service)
kill -STOP "$journald"
since=$(date +%s)
for _ in 1 2 3; do
  corunctl exec -- seq 1 4999 >/tmp/seq.out
  same "the exit status of a command" 0 $?
  same "the last line" 4999 "$(tail -n 1 /tmp/seq.out)"
done
until [ $(($(date +%s) - since)) -ge 10 ]; do
  holds corunctl run echo x=1
done
kill -CONT "$journald"
told_dropped() { journalctl -u corund.service --no-pager | grep -q 'records were dropped'; }
until_true 20 told_dropped
ok "journal: one that stands still delays nothing, and is told afterwards what it missed"
