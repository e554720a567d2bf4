# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A cgroup for each command, and what is left where there is none. Sourced by checks.sh.

# ---- cgroups
tree=/sys/fs/cgroup$(prop ControlGroup)
same "the daemon's cgroup" "0::$(prop ControlGroup)/daemon" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
out=$(corunctl exec -- sed -n 's/^0:://p' /proc/self/cgroup)
has "a command's cgroup" "$(prop ControlGroup)/job-" "$out"
no_job_cgroups() { [ -z "$(find "$tree" -maxdepth 1 -name 'job-*')" ]; }
holds no_job_cgroups
ok "cgroups: the daemon in a leaf, each command in its own, nothing left behind"

# A leader, one of its group, and two that left it: all ignore SIGTERM.
cat >$state/stubborn <<'END'
trap '' TERM
sleep 1001 &
echo $! >>"$1"
setsid sh -c '(setsid sh -c "echo \$\$ >>$0; exec sleep 1002" &); echo $$ >>$0; exec sleep 1003' "$1" &
echo $$ >>"$1"
while :; do sleep 0.1; done
END
four_lines() { [ "$(wc -l <"$1")" -eq 4 ]; }
gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"; }
stubborn_tree() { # stubborn_tree FILE: runs it and cancels it
  rm -f "$1" && touch "$1" && chmod 666 "$1"
  stubborn_id=$(corunctl exec --detach --grace 300ms -- sh $state/stubborn "$1")
  until_true 10 four_lines "$1"
  corunctl cancel "$stubborn_id" >/tmp/cancel.out
  same "the exit status of corunctl cancel" 0 $?
  has "what it says" "grace" "$(cat /tmp/cancel.out)"
}
stubborn_tree $state/tree.delegated
for pid in $(cat $state/tree.delegated); do holds gone "$pid"; done
holds no_job_cgroups
same "ActiveState" active "$(prop ActiveState)"
ok "cgroups: a tree that ignores SIGTERM is gone after its grace, daemonised grandchildren too"

if grep -qw memory "$tree/cgroup.controllers"; then
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"shell":"x=$(head -c 300000000 /dev/zero | tr \\0 x)","limits":{"memory":33554432}}}' >/tmp/oom.out 2>&1
  has "the error" "out of memory" "$(cat /tmp/oom.out)"
  holds corunctl run echo x=1
  ok "cgroups: a job out of memory fails and says so, the daemon lives"
else
  skipped "cgroups: a job out of memory fails and says so, the daemon lives" "no memory controller here"
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["true"],"limits":{"memory":33554432}}}' >/tmp/oom.out 2>&1
  has "the error" "args.limits.memory" "$(cat /tmp/oom.out)"
  corunctl call io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["true"],"limits":{"tasks":5}}}' >/tmp/tasks.out 2>&1
  has "the error" "args.limits.tasks" "$(cat /tmp/tasks.out)"
  ok "cgroups: limits that cannot be kept are refused by name"
fi

# What outlives a daemon does not outlive the next one's start.
rm -f $state/tree.killed && touch $state/tree.killed && chmod 666 $state/tree.killed
corunctl exec --detach -- sh $state/stubborn $state/tree.killed
until_true 10 four_lines $state/tree.killed
pid=$(prop MainPID)
kill -KILL "$pid"
until_true 20 anew "$pid"
for pid in $(cat $state/tree.killed); do holds gone "$pid"; done
holds no_job_cgroups
same "the daemon's cgroup" "0::$(prop ControlGroup)/daemon" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
ok "cgroups: after a crash nothing of the former commands is left"

drop_in delegate Delegate=no
systemctl restart corund
same "the daemon's cgroup" "0::$(prop ControlGroup)" "$(grep '^0::' "/proc/$(prop MainPID)/cgroup")"
stubborn_tree $state/tree.plain
for pid in $(cat $state/tree.plain); do
  case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
    "sleep 1002 " | "sleep 1003 ") kill -KILL "$pid" ;; # which had left the group
    *) holds gone "$pid" ;;
  esac
done
ok "cgroups: without delegation the process group is gone after its grace"
no_drop_ins
systemctl restart corund
