# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Varlink as others speak it: systemd's varlinkctl and python3-varlink, where there are both (Debian 13). Sourced by checks.sh.
command -v varlinkctl >/dev/null || return 0

# shellcheck disable=SC2154  # of checks.sh
vl_socket=$socket vl_checks=$here
exec {vl_trace}>&2 # what is compared here is what a program says on stderr, and not the trace of it
BASH_XTRACEFD=$vl_trace
vl_interfaces="io.corund.Daemon io.corund.Jobs io.systemd.service org.varlink.service"

vl() { timeout 60 varlinkctl "$@"; }
vl_jobs() { vl call --collect -j "$vl_socket" io.corund.Jobs.List "{\"labels\":{\"of\":\"$1\"}}"; } # vl_jobs LABEL
# The text of an interface as the daemon tells it; varlinkctl introspect writes it anew.
vl_description() {
  vl call -j "$1" org.varlink.service.GetInterfaceDescription "{\"interface\":\"$2\"}" |
    python3 -c 'import json, sys; sys.stdout.write(json.load(sys.stdin)["description"])'
}

holds corunctl run echo x=1 # it runs, or is started by this

# ---- what there is
out=$(vl info "$vl_socket")
same "the exit status of varlinkctl info" 0 $?
has "info" "Product: corund" "$out"
for interface in $vl_interfaces; do has "info" "$interface" "$out"; done
same "the interfaces" "$vl_interfaces" "$(vl list-interfaces "$vl_socket" | paste -sd' ')"
ok "varlinkctl: info and list-interfaces name what there is"

vl introspect "$vl_socket" >/tmp/vl.introspect
same "the exit status of varlinkctl introspect" 0 $?
declared=$(awk '/^interface / { of = $2 } /^method / { sub(/\(.*/, "", $2); print of "." $2 }' /tmp/vl.introspect | sort)
same "the methods that are declared" "$declared" "$(vl list-methods "$vl_socket" | sort)"
same "the number of interfaces" 4 "$(grep -c '^interface ' /tmp/vl.introspect)"
for interface in $vl_interfaces; do
  has "introspect $interface" "interface $interface" "$(vl introspect "$vl_socket" "$interface")"
  has "list-methods $interface" "$interface." "$(vl list-methods "$vl_socket" "$interface")"
done
ok "varlinkctl: introspect and list-methods agree on all interfaces"

for interface in $vl_interfaces; do
  file=$vl_checks/varlink/$interface.varlink
  said=$(vl validate-idl "$file" 2>&1 >/dev/null)
  same "the exit status of varlinkctl validate-idl $interface" 0 $?
  same "what it says" "" "$said"
  vl_description "$vl_socket" "$interface" >"/tmp/$interface.varlink"
  holds cmp "$file" "/tmp/$interface.varlink"
done
same "the number of descriptions" 4 "$(find "$vl_checks/varlink" -name '*.varlink' | wc -l)"
for interface in io.corund.Daemon io.corund.Jobs; do
  holds cmp "/usr/share/varlink/$interface.varlink" "/tmp/$interface.varlink"
done
ok "varlinkctl: validate-idl has nothing to say, and what is installed is what is told"

# ---- calls
out=$(vl call -j "$vl_socket" io.corund.Jobs.Run '{"kind":"echo","args":{"x":1}}')
same "the exit status of varlinkctl call" 0 $?
has "the reply" '"result":{"x":1}' "$out"
out=$(echo '{"kind":"echo","args":{"x":2}}' | vl call -j "$vl_socket" io.corund.Jobs.Run)
has "the reply to parameters from stdin" '"result":{"x":2}' "$out"
ok "varlinkctl: call"

out=$(vl call -j "$vl_socket" io.corund.Jobs.Show '{"id":"none"}' 2>/tmp/vl.err)
same "the exit status of a call that fails" 1 $?
has "what it says" "io.corund.Jobs.JobNotFound" "$(cat /tmp/vl.err)"
same "the error's parameters" '{"id":"none"}' "$out"
vl call --graceful=io.corund.Jobs.JobNotFound "$vl_socket" io.corund.Jobs.Show '{"id":"none"}' >/dev/null 2>&1
same "the exit status of a call whose failure is expected" 0 $?
vl call --graceful=io.corund.Jobs.JobNotFound "$vl_socket" io.corund.Jobs.Show '{}' >/dev/null 2>&1
same "the exit status of a call that fails otherwise" 1 $?
ok "varlinkctl: errors by their names, --graceful"

vl call --more -j "$vl_socket" io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["echo","out"]}}' >/tmp/vl.more
same "the exit status of varlinkctl call --more" 0 $?
[ "$(tr -cd '\036' </tmp/vl.more | wc -c)" -ge 4 ] || note "fewer than four replies: $(cat /tmp/vl.more)"
has "the events" '"type":"output"' "$(cat /tmp/vl.more)"
has "the events" '"text":"out"' "$(cat /tmp/vl.more)"
has "the last reply" '"exitCode":0' "$(tail -n 1 /tmp/vl.more)"
vl call "$vl_socket" io.corund.Jobs.List '{}' >/dev/null 2>/tmp/vl.err
has "the error of a List without --more" "org.varlink.service.ExpectedMore" "$(cat /tmp/vl.err)"
ok "varlinkctl: call --more"

for n in 1 2 3; do holds vl call -q "$vl_socket" io.corund.Jobs.Run "{\"kind\":\"echo\",\"args\":{\"n\":$n},\"labels\":{\"of\":\"collect\"}}"; done
out=$(vl_jobs collect)
same "the exit status of varlinkctl call --collect" 0 $?
same "what was collected" "1 2 3" \
  "$(python3 -c 'import json, sys; print(*[reply["job"]["args"]["n"] for reply in json.load(sys.stdin)])' <<<"$out")"
ok "varlinkctl: call --collect"

out=$(vl call --oneway "$vl_socket" io.corund.Jobs.Submit '{"kind":"echo","key":"oneway","labels":{"of":"oneway"}}')
same "the exit status of varlinkctl call --oneway" 0 $?
same "its output" "" "$out"
oneway_is_there() { vl_jobs oneway | grep -q '"succeeded"'; }
until_true 10 oneway_is_there
ok "varlinkctl: call --oneway, which closes at once, is taken all the same"

vl call --timeout=1 "$vl_socket" io.corund.Jobs.Run '{"kind":"sleep","args":{"seconds":3600},"labels":{"of":"timeout"}}' >/dev/null 2>&1
same "the exit status of a call that takes too long" 1 $?
timeout_is_over() { vl_jobs timeout | grep -q '"cancelled"'; }
until_true 10 timeout_is_over
ok "varlinkctl: --timeout hangs up, and what ran for the call is cancelled"

# What a command may write and JSON may not.
out=$(vl call -j "$vl_socket" io.corund.Jobs.Run '{"kind":"exec","args":{"shell":"printf \"a\\\\000b\\\\377c\"; head -c 1048576 /dev/zero | tr \"\\\\0\" x"}}')
same "the exit status" 0 $?
has "the reply" '"exitCode":0' "$out"
ok "varlinkctl: NUL, bytes that are no UTF-8 and a line of a mebibyte do not break a reply"

# ---- io.systemd.service
same "Ping" '{}' "$(vl call -j "$vl_socket" io.systemd.service.Ping '{}')"
same "SetLogLevel" '{}' "$(vl call -j "$vl_socket" io.systemd.service.SetLogLevel '{"level":7}')"
same "Reload" '{}' "$(vl call -j "$vl_socket" io.systemd.service.Reload '{}')"
same "SetLogLevel" '{}' "$(vl call -j "$vl_socket" io.systemd.service.SetLogLevel '{"level":6}')"
has "GetEnvironment" '"STATE_DIRECTORY=' "$(vl call -j "$vl_socket" io.systemd.service.GetEnvironment '{}')"
journal_has "reloaded, changed: nothing" -u corund.service -n 50
ok "varlinkctl: io.systemd.service answers Ping, SetLogLevel, Reload and GetEnvironment"

touch /etc/corund/corund.toml
cp -a /etc/corund/corund.toml /tmp/corund.toml.good
printf '[stop]\ngrace = "soon"\n' >>/etc/corund/corund.toml
out=$(vl call -j "$vl_socket" io.systemd.service.Reload '{}' 2>/tmp/vl.err)
same "the exit status of a Reload that fails" 1 $?
has "its error" "io.corund.Daemon.BadConfiguration" "$(cat /tmp/vl.err)"
has "its faults" '"key":"stop.grace"' "$out"
cp -a /tmp/corund.toml.good /etc/corund/corund.toml
same "Reload" '{}' "$(vl call -j "$vl_socket" io.systemd.service.Reload '{}')"
ok "varlinkctl: io.systemd.service.Reload names the faults of a configuration that is wrong"

# ---- a daemon for one caller, beside the system's, whose store is locked
vl_before=$(prop MainPID)
out=$(vl call -j exec:/usr/sbin/corund io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["id","-un"]}}' 2>/tmp/vl.err)
same "the exit status of a call of exec:" 0 $?
has "the reply" '"stdoutTail":"root\n"' "$out"
same "what it says beside" "" "$(cat /tmp/vl.err)"
has "info of a program" "Product: corund" "$(vl info /usr/sbin/corund)"
for interface in $vl_interfaces; do has "introspect of a program" "interface $interface" "$(vl introspect exec:/usr/sbin/corund)"; done
out=$(vl call --more -j exec:/usr/sbin/corund io.corund.Jobs.Run '{"kind":"exec","args":{"argv":["echo","out"]}}' 2>&1)
has "the events" '"text":"out"' "$out"
same "the system's daemon" "$vl_before" "$(prop MainPID)"
none_left() { [ "$(pgrep -x corund | wc -l)" -eq 1 ]; }
until_true 10 none_left
ok "varlinkctl: exec: is served by a daemon of its own, over a connected descriptor 3, and it ends with the call"

out=$(printf '{"method":"io.systemd.service.Ping"}\0{"method":"io.corund.Jobs.Run","parameters":{"kind":"echo","args":{"x":1}}}\0' |
  timeout 30 env SYSTEMD_VARLINK_LISTEN=- corund 2>/tmp/vl.err | tr '\0' '\n')
same "the first reply" '{"parameters":{}}' "$(sed -n 1p <<<"$out")"
has "the second reply" '"result":{"x":1}' "$(sed -n 2p <<<"$out")"
same "what it says beside" "" "$(cat /tmp/vl.err)"
# As ssh would: env, the variable, the program.
# shellcheck disable=SC2016  # for the script
printf '#!/bin/bash\nwhile [ "$1" != env ]; do shift; done\nexec "$@"\n' >/tmp/vl.ssh
chmod +x /tmp/vl.ssh
out=$(SYSTEMD_SSH=/tmp/vl.ssh vl call -j ssh-exec:somewhere:corund io.corund.Jobs.Run '{"kind":"echo","args":{"x":3}}' 2>&1)
has "the reply by ssh-exec:" '"result":{"x":3}' "$out"
until_true 10 none_left
ok "varlinkctl: SYSTEMD_VARLINK_LISTEN=- speaks on stdin and stdout, by hand and for ssh-exec:"

# ---- python3-varlink
python3 "$vl_checks/every_method.py" "unix:$vl_socket" >/tmp/vl.python 2>&1
same "the exit status" 0 $?
has "what it says" "1.." "$(tail -n 1 /tmp/vl.python)"
while read -r line; do note "$line"; done < <(grep -A 30 '^not ok' /tmp/vl.python | grep -v '^ok')
ok "python3-varlink: calls $(grep -c '^ok .* - [a-z]*\.' /tmp/vl.python) methods of $(wc -w <<<"$vl_interfaces") interfaces, and gets an error by name from each"

unset BASH_XTRACEFD
