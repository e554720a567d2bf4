#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs inside the booted container, as root: what an operator does with corund, and what systemd and the journal say of
# it. Writes TAP to /out/checks.tap. No check waits by sleeping: `until_true` polls for the event with a limit. The
# checks themselves are in checks/, in the order in which they are named at the end; each leaves a daemon that runs.
set -uo pipefail
exec >/out/checks.tap 2>/out/checks.log
set -x

count=0
details=()

ok() { # ok NAME: after a group of expectations
  count=$((count + 1))
  if [ ${#details[@]} -eq 0 ]; then
    printf 'ok %d - %s\n' "$count" "$1"
  else
    printf 'not ok %d - %s\n' "$count" "$1"
    printf '# %s\n' "${details[@]}"
    journalctl -u corund.service -u corund.socket -n 12 --no-pager -o short-monotonic | sed 's/^/#   /'
  fi
  details=()
}
skipped() { # skipped NAME WHY
  count=$((count + 1))
  printf 'ok %d - %s # SKIP %s\n' "$count" "$1" "$2"
}
note() { details+=("$(printf '%s' "$*" | tr '\n' '|' | cut -c1-2000)"); }

same() { [ "$2" = "$3" ] || note "$1 is '$3', not '$2'"; } # same WHAT EXPECTED SEEN
has() { case $3 in *"$2"*) ;; *) note "$1 does not hold '$2': $3" ;; esac; }
lacks() { case $3 in *"$2"*) note "$1 holds '$2': $3" ;; esac; }
holds() { "$@" >&2 || note "false: $*"; }
prop() { systemctl show -P "$1" "${2:-corund.service}"; }

until_true() { # until_true SECONDS COMMAND...
  local end=$(($(date +%s) + $1))
  shift
  until "$@" >&2; do
    [ "$(date +%s)" -lt "$end" ] || {
      note "not within its time: $*"
      return 1
    }
    sleep 0.05
  done
}
state_is() { [ "$(prop ActiveState)" = "$1" ]; }
status_has() { case "$(prop StatusText)" in *"$1"*) true ;; *) false ;; esac; }
jobs_running() { [ "$(corunctl list --json 2>/dev/null | grep -c '"state": *"running"')" -ge "$1" ]; }
kinds_have() { corunctl kinds 2>/dev/null | grep -q "$1"; }

corunctl() { timeout 30 /usr/bin/corunctl "$@"; }

finish() {
  if [ -z "$completed" ]; then
    note "the last check that ended is number $count"
    ok "the checks run to their end"
  fi
  printf '1..%d\n' "$count"
  journalctl --no-pager -o short-precise >/out/journal.log 2>&1
}
completed=
trap finish EXIT
trap 'exit 1' TERM

export SYSTEMD_PAGER=cat SYSTEMD_COLORS=0

systemd_version=$(systemctl --version | awk 'NR == 1 { print $2 }')
socket=/run/corund/corund.sock
state=/var/lib/corund # the one place where jobs may write
dropins=/run/systemd/system/corund.service.d
here=${CORUND_CHECKS:-/usr/share/corund-checks}

# So many starts in so little time are these checks' own: systemd counts from here.
starts_anew() { systemctl reset-failed corund.service corund.socket; }
drop_in() { # drop_in NAME LINE...: in force with the next start
  mkdir -p "$dropins"
  printf '[Service]\n' >"$dropins/$1.conf"
  printf '%s\n' "${@:2}" >>"$dropins/$1.conf"
  systemctl daemon-reload
  starts_anew
}
no_drop_ins() {
  rm -rf "$dropins"
  systemctl daemon-reload
  starts_anew
}
cursor_now() { journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p'; }
said_since() { # said_since CURSOR [JOURNALCTL OPTION...]: the unit's entries
  local cursor=$1
  shift
  journalctl --sync
  journalctl -u corund.service --no-pager --after-cursor="$cursor" "$@"
}
# journal_has TEXT JOURNALCTL_OPTION...: or soon has: what happens does not wait for the thread that logs it.
journal_has() {
  local text=$1
  shift
  is_said() { journalctl --sync && case $(journalctl --no-pager "$@") in *"$text"*) ;; *) false ;; esac; }
  until_true 10 is_said "$@" || has "the journal" "$text" "$(journalctl --no-pager "$@")"
}
main_pid() { prop MainPID; }
anew() { state_is active && [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ]; } # anew FORMER_PID

for room in units start commands cgroups journal journal_logs stop restart watchdog reload life own_socket varlink user readme; do
  # shellcheck source=/dev/null
  . "$here/$room.sh"
done

completed=yes
