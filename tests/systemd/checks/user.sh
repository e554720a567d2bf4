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
as_someone systemctl --user stop corund.socket corund.service
same "the exit status of systemctl --user stop" 0 $?
ok "a user's own daemon: starts, runs commands as its user, stops"
