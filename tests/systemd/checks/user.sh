# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A daemon of one's own. Sourced by checks.sh.

# ---- one daemon for a user
useradd -m someone
systemctl start "user@$(id -u someone).service"
as_someone() {
  setpriv --reuid=someone --regid=someone --init-groups \
    env -i HOME=/home/someone PATH=/usr/bin:/bin XDG_RUNTIME_DIR="/run/user/$(id -u someone)" "$@"
}
as_someone systemctl --user start corund
same "the exit status of systemctl --user start" 0 $?
out=$(as_someone corunctl exec -- id -un)
has "the user a command runs as" someone "$out"
holds as_someone timeout 30 corunctl pause
holds as_someone timeout 30 corunctl resume
as_someone systemctl --user stop corund.socket corund.service
same "the exit status of systemctl --user stop" 0 $?
ok "a user's own daemon: starts, runs commands as its user, is administered by it, stops"

# ---- the system's daemons, as other users: the manager's mark is on them, whatever number the user has
install -d -o someone /run/elsewhere
systemd-run --quiet --unit=elsewhere --uid=someone -p Type=notify /usr/sbin/corund --socket /run/elsewhere/s --state :memory:
same "the exit status of systemd-run --uid=someone" 0 $?
as_someone timeout 30 corunctl --socket /run/elsewhere/s pause >/dev/null 2>&1
same "the exit status of a pause by the user of a unit of the system" 125 $?
holds as_someone timeout 30 corunctl --socket /run/elsewhere/s run echo x=1
holds corunctl --socket /run/elsewhere/s pause
systemctl stop elsewhere
rm -rf /run/elsewhere
systemd-run --quiet --unit=dynamic -p DynamicUser=yes -p RuntimeDirectory=dynamic -p Type=notify \
  /usr/sbin/corund --socket /run/dynamic/s --state :memory:
same "the exit status of systemd-run with DynamicUser=" 0 $?
corunctl --socket /run/dynamic/s exec -C / -- corunctl --socket /run/dynamic/s pause >/dev/null 2>&1
same "the exit status of a pause by a command of a DynamicUser='s daemon" 125 $?
holds corunctl --socket /run/dynamic/s exec -C / -- corunctl --socket /run/dynamic/s run echo x=1
systemctl stop dynamic
ok "access: the user of a system's unit administers nothing, a DynamicUser= neither"
