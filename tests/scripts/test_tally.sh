#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/tally decides whether a run was good, so it has a test of its own: test_tally.sh SOURCE_ROOT
set -uo pipefail
tally=$1/scripts/tally
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '# comment\nknown skip*  # the machine has none\n' >"$dir/skips"
count=0 bad=0

# expect NAME STATUS LAST_LINE [PATTERN]: of the tally of the log on stdin, a TAP file or, with $kind=json, a testlog.json
kind=tap
expect() {
  local out status=0 good=ok
  cat >"$dir/log.$kind"
  out=$("$tally" --skips "$dir/skips" "config=$dir/log.$kind") || status=$?
  count=$((count + 1))
  [ "$status" -eq "$2" ] && [ "$(tail -n 1 <<<"$out")" = "$3" ] && grep -q -- "${4:-}" <<<"$out" || good='not ok' bad=1
  echo "$good $count - $1"
  [ "$good" = ok ] || sed "s/^/# exit status $status: /" <<<"$out"
}

expect "all passed" 0 "2 passed, 0 failed, 0 skipped" <<<$'ok 1 - one\nok 2 - two: three\n1..2'
expect "a failure is named, with what was said of it" 1 "1 passed, 1 failed, 0 skipped" '^FAILED  config: two' \
  <<<$'ok 1 - one\nnot ok 2 - two\n# file.cpp:3: why\n1..2'
expect "comments of a failure are shown" 1 "0 passed, 1 failed, 0 skipped" 'file.cpp:3: why' \
  <<<$'not ok 1 - two\n# file.cpp:3: why\n1..1'
expect "a listed skip is no failure" 0 "1 passed, 0 failed, 1 skipped" 'known skip of mine' \
  <<<$'ok 1 - one\nok 2 - known skip of mine # SKIP no kernel\n1..2'
expect "an unlisted skip fails" 1 "1 passed, 0 failed, 1 skipped" '^NOT LISTED.*: config: two' \
  <<<$'ok 1 - one\nok 2 - two # SKIP no kernel\n1..2'
expect "no test at all fails" 1 "0 passed, 0 failed, 0 skipped" 'NO TEST RAN' <<<'1..0'
expect "only skips fail" 1 "0 passed, 0 failed, 1 skipped" 'NO TEST RAN' \
  <<<$'ok 1 - known skip # SKIP no kernel\n1..1'
expect "output without a plan is one failure more" 1 "1 passed, 1 failed, 0 skipped" 'before its plan' <<<'ok 1 - one'
expect "fewer cases than planned is one failure more" 1 "1 passed, 1 failed, 0 skipped" '3 cases planned, 1 seen' \
  <<<$'1..3\nok 1 - one'
expect "bail out is one failure more" 1 "1 passed, 1 failed, 0 skipped" 'Bail out! no disk' \
  <<<$'1..2\nok 1 - one\nBail out! no disk'

kind=json
expect "a meson test's cases are counted" 0 "2 passed, 0 failed, 0 skipped" <<'JSON'
{"name": "core", "stdout": "ok 1 - one\nok 2 - two\n1..2\n", "result": "OK", "returncode": 0}
JSON
expect "a crash is one failure more, after the last case seen" 1 "1 passed, 1 failed, 0 skipped" "exit code -6, after 'one'" <<'JSON'
{"name": "core", "stdout": "ok 1 - one\n", "result": "ERROR", "returncode": -6}
JSON
expect "a failed case that ends its test is counted once" 1 "1 passed, 1 failed, 0 skipped" <<'JSON'
{"name": "core", "stdout": "ok 1 - one\nnot ok 2 - two\n1..2\n", "result": "ERROR", "returncode": 1}
JSON
expect "a sanitizer's exit after all cases passed is a failure" 1 "1 passed, 1 failed, 0 skipped" "runs to its end" <<'JSON'
{"name": "core", "stdout": "ok 1 - one\n1..1\n", "result": "ERROR", "returncode": 1, "stderr": "leak"}
JSON
expect "a test without TAP is one case" 1 "1 passed, 1 failed, 0 skipped" "TIMEOUT" <<'JSON'
{"name": "plain", "stdout": "", "result": "OK", "returncode": 0}
{"name": "hang", "stdout": "", "result": "TIMEOUT", "returncode": -15}
JSON

echo "1..$count"
exit "$bad"
