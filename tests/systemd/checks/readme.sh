# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The README's chapter on systemd, line by line as it stands there. Sourced by checks.sh.

# code_of FILE HEADING: the chapter's sh blocks, each ended by a line "# --"
code_of() {
  awk -v heading="## $2" '
    /^## / { inside = ($0 == heading) }
    inside && /^```sh$/ { code = 1; next }
    code && /^```$/ { code = 0; print "# --"; next }
    code { print }' "$1"
}
# Without what builds and installs: that was done before this system was booted, by the same lines where it has compilers.
code_of "$here/README.md" "Under systemd" | grep -v '^meson ' >/tmp/readme.code
holds test "$(wc -l </tmp/readme.code)" -gt 30
csplit -s -z -f /tmp/readme. -b '%02d.sh' /tmp/readme.code '/^# --$/+1' '{*}'
root_script=/tmp/readme.root
user_script=/tmp/readme.user
: >"$root_script"
: >"$user_script"
for block in /tmp/readme.??.sh; do
  if grep -q 'systemctl --user' "$block"; then cat "$block" >>"$user_script"; else cat "$block" >>"$root_script"; fi
done
timeout 120 bash -e -x -o pipefail "$root_script" >/tmp/readme.out 2>&1 </dev/null
same "the exit status of the lines for root" 0 $?
[ ${#details[@]} -eq 0 ] || tail -n 15 /tmp/readme.out | sed 's/^/#   /'
ok "readme: every line for root does what it says"
chmod 644 "$user_script"
as_someone timeout 120 bash -e -x -o pipefail "$user_script" >/tmp/readme.out 2>&1 </dev/null
same "the exit status of the lines for a user" 0 $?
[ ${#details[@]} -eq 0 ] || tail -n 15 /tmp/readme.out | sed 's/^/#   /'
ok "readme: every line for a user does what it says"
