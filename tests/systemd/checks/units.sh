# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the package brings, and what systemd finds to say about it. Sourced by checks.sh.

# ---- what the package brings
systemd-sysusers
holds id -u corund
holds getent group corund
ok "sysusers: the user and the group corund exist"

systemctl daemon-reload
verdict=$(systemd-analyze verify --man=no --recursive-errors=no corund.service corund.socket 2>&1)
same "the exit status of systemd-analyze verify" 0 $?
same "what it says" "" "$verdict"
for unit in /usr/lib/systemd/user/corund.service /usr/lib/systemd/user/corund.socket; do holds test -e "$unit"; done
if [ "$systemd_version" -ge 253 ]; then type=notify-reload; else type=notify; fi
same "Type" "$type" "$(prop Type)"
same "KillMode" mixed "$(prop KillMode)"
ok "units: systemd finds nothing to say about them"

# A daemon with the tests' own kinds.
mkdir -p /etc/corund
if [ -e /usr/lib/corund/test-plugins/corund-probe.so ]; then
  printf '[plugins]\ndirectories = ["/usr/lib/corund/test-plugins"]\n' >/etc/corund/corund.toml
fi

# ---- what it may do to the system
exposure() { # exposure LIMIT, in tenths: of the unit as it is now
  local verdict
  verdict=$(systemd-analyze security --no-pager --threshold="$1" corund.service 2>&1) ||
    note "systemd-analyze security is above $1: $(tail -n 1 <<<"$verdict")"
}
exposure 16
ok "units: as they are shipped, systemd-analyze security says 1.6 at most"

doc=/usr/share/doc/corund/drop-ins
mkdir -p "$dropins"
cp "$doc/no-network.conf" "$doc/no-cgroups.conf" "$dropins"
systemctl daemon-reload
exposure 10
verdict=$(systemd-analyze verify --man=no --recursive-errors=no corund.service 2>&1)
same "what systemd-analyze verify says" "" "$verdict"
cp "$doc/limits.conf" "$dropins"
systemctl daemon-reload
same "MemoryMax" 6442450944 "$(prop MemoryMax)"
same "TasksMax" 2000 "$(prop TasksMax)"
no_drop_ins
ok "units: with the drop-ins that tighten it, 1.0 at most"
