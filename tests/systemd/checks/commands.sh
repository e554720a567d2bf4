# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Commands: their exit code, their output, what they inherit. Sourced by checks.sh.

# ---- a command, its exit code, its journal
out=$(corunctl exec -- sh -c 'echo out; exit 3')
same "the exit status of corunctl exec" 3 $?
has "its output" out "$out"
ok "exec: the command's exit code and output come back"

id=$(corunctl list --json | grep -o '"id": *"[0-9A-Z]\{26\}"[^}]*"kind": *"exec"' | tail -n 1 | grep -o '[0-9A-Z]\{26\}')
same "the length of the exec job's id" 26 "${#id}"
journal_has "exec failed" CORUND_JOB_ID="$id"
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
