# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What `corunctl logs` reads back from the journal. Sourced by checks.sh. The daemon's user must be able to read the journal
# (SupplementaryGroups=systemd-journal).

# ---- logs
log_texts() { sed 's/^.\{19\}  //' | paste -sd'|'; } # without the times
logs_of() { corunctl logs "$@" | log_texts; }
log_threads() { cat "/proc/$(prop MainPID)/task/"*/comm 2>/dev/null | grep -c '^corund-logs$'; }
log_threads_are() { [ "$(log_threads)" -eq "$1" ]; }
send_as() { # send_as USER JOB TEXT: an entry under the job's id
  printf 'MESSAGE=%s\nPRIORITY=5\nCORUND_STREAM=stdout\nCORUND_JOB_ID=%s\n' "$3" "$2" |
    setpriv --reuid="$1" --regid="$(id -g "$1")" --clear-groups logger --journald
}
log_gate=/run/corund-checks.gate
held_job() { # a command that says "on", and "off" once the gate is there
  rm -f "$log_gate"
  corunctl exec --detach -C / -- sh -c "echo on; until [ -e $log_gate ]; do sleep 0.05; done; echo off >&2"
}
has_line() { grep -q "$1" "$2"; }

has "the daemon's groups" "$(getent group systemd-journal | cut -d: -f3)" "$(sed -n 's/^Groups://p' "/proc/$(prop MainPID)/status")"
id=$(corunctl exec --detach -C / -- sh -c 'echo out; sleep 0.1; echo err >&2')
corunctl wait "$id" >/dev/null
life="daemon: exec submitted|daemon: exec started|stdout: out|stderr: err|daemon: exec succeeded"
same "corunctl logs, at once after the end" "$life" "$(logs_of "$id")"
same "corunctl logs -n 1" "daemon: exec succeeded" "$(logs_of -n 1 "$id")"
same "corunctl logs -n 2 -f" "stderr: err|daemon: exec succeeded" "$(logs_of -n 2 -f "$id")"
same "corunctl logs -n 0" "" "$(logs_of -n 0 "$id")"
ok "logs: a command's life and output in order, complete at once after its end, and the last lines of it"

send_as nobody "$id" "by a stranger"
send_as corund "$id" "by the daemon's user"
journalctl --sync
has "the journal" "by a stranger" "$(journalctl CORUND_JOB_ID="$id" --no-pager)"
seen=$(logs_of "$id")
lacks "corunctl logs" "by a stranger" "$seen"
has "corunctl logs" "stdout: by the daemon's user" "$seen"
ok "logs: read from the journal, and what another user wrote under the job's id is none of them"

follow_job() { # follow_job ID: follower=PID, which has seen that the job is on
  /usr/bin/corunctl logs -f "$1" >/tmp/logs.out &
  follower=$!
  until_true 10 has_line 'stdout: on' /tmp/logs.out
}
follow_to_the_end() { # the job may go on
  : >"$log_gate"
  wait "$follower"
  same "the exit status of corunctl logs -f" 0 $?
  same "what it showed" "daemon: exec submitted|daemon: exec started|stdout: on|stderr: off|daemon: exec succeeded" "$(log_texts </tmp/logs.out)"
}

id=$(held_job)
follow_job "$id"
same "threads that read logs" 1 "$(log_threads)"
follow_to_the_end
until_true 10 log_threads_are 0
ok "logs -f: goes on until the job has ended"

id=$(held_job)
follow_job "$id"
kill -KILL "$follower"
until_true 10 log_threads_are 0
ok "logs -f: a follower that hangs up leaves no thread behind"

follow_job "$id"
holds systemctl restart systemd-journald
follow_to_the_end
ok "logs -f: journald restarted meanwhile, nothing is missed and nothing comes twice"

id=$(held_job)
follow_job "$id"
journalctl --rotate
follow_to_the_end
same "all of it, out of two files" "$(log_texts </tmp/logs.out)" "$(logs_of "$id")"
ok "logs -f: goes on in the next file when the journal is rotated"

# A journal of its own.
drop_in logs 'LogNamespace=corund'
systemctl restart corund
id=$(corunctl exec --detach -C / -- sh -c 'echo out; sleep 0.1; echo err >&2')
corunctl wait "$id" >/dev/null
same "corunctl logs" "$life" "$(logs_of "$id")"
journalctl --namespace=corund --sync
has "the namespace's journal" "exec succeeded" "$(journalctl --namespace=corund CORUND_JOB_ID="$id" --no-pager)"
same "the other journal" "" "$(journalctl --quiet CORUND_JOB_ID="$id" --no-pager)"
no_drop_ins
systemctl restart corund
send_as corund "$id" "by the daemon's user"
journalctl --sync
has "corunctl logs" "stdout: by the daemon's user" "$(logs_of "$id")"
has "corunctl logs" "daemon: exec succeeded" "$(logs_of "$id")"
ok "logs: with LogNamespace= they are read from the namespace's journal too"

# A daemon that may not read the journal has the record.
drop_in logs 'SupplementaryGroups='
systemctl restart corund
id=$(corunctl exec --detach -C / -- sh -c 'echo out; sleep 0.1; echo err >&2')
corunctl wait "$id" >/dev/null
send_as corund "$id" "by the daemon's user"
journalctl --sync
same "corunctl logs" "$life" "$(logs_of "$id")"
no_drop_ins
systemctl restart corund
ok "logs: without the right to read the journal they are the record's"
