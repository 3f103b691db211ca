#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A short shift: the simulated operator plugs 60 boards in and out of 8 slots, bad ones, a cable that wears out, a hub that
# lets go, boards pulled in the middle and plugged in twice; what the line recorded is held against what was done.
. tests/flow/lib.sh
. tests/shift/lib.sh
command -v node >/dev/null || skip "node is not installed"
# what a script may not say
expect_exit 2 "$FL" sim --operator tests/shift/short.yaml
printf 'units: 3\nplug_ms: [3, 1]\n' >"$T/bad.yaml"
expect_exit 2 "$FL" sim --operator "$T/bad.yaml" --watch http://127.0.0.1:1
expect_text "$T/err" 'bad.yaml:2:10: expected the least and the most'
printf 'units: 3\nhub: {slots: [9]}\n' >"$T/bad.yaml"
expect_exit 2 "$FL" sim --boards 8 --operator "$T/bad.yaml" --watch http://127.0.0.1:1
expect_text "$T/err" 'hub: there is no slot 9'
printf 'units: 3\nplanted: [{name: x, share: 0.5, expect: [a.b], bord: {}}]\n' >"$T/bad.yaml"
expect_exit 2 "$FL" sim --operator "$T/bad.yaml" --watch http://127.0.0.1:1
expect_text "$T/err" "there is no key 'bord' here"
expect_exit 2 "$FL" sim --operator tests/shift/short.yaml --watch ftp://x

shift_profile 60001
run_shift tests/shift/short.yaml 8 60
node tests/shift/compare.mjs "$T/truth" "$T/attempts" 0x400000 "$T/image@0x10000" >"$T/out" || { cat "$T/out"; fail "records and truth differ"; }
cat "$T/out"
[ "$(jq -s '[.[] | select(.type == "visit") | .unit] | unique | length' "$T/truth")" = 60 ] || fail "not every board had its turn"
[ "$(jq -s '[.[] | select(.type == "visit" and .planted)] | length' "$T/truth")" -ge 5 ] || fail "hardly a bad board"
[ "$(jq -s '[.[] | select(.type == "hub" or .type == "cable")] | length' "$T/truth")" = 2 ] || fail "no hub or no cable"
[ "$(jq -s '[.[] | select(.type == "visit" and .visit > 1)] | length' "$T/truth")" -ge 2 ] || fail "no board was plugged in again"
# the head of the board and of the console says what the reports say of the same shift
expect_exit 0 "$FL" report summary --data "$T/data" --format json
head='{PASS: .pass, FAIL: .fail, ERROR: .error, ABORTED: .aborted, units, passed, fpy: ((1000 * .first_passed / .units) | round)}'
said='.outcomes + {units, passed: .units_passed, fpy: ((1000 * .first_pass_yield) | round)} | del(.INTERRUPTED)'
[ "$(jq -S ".head | $head" "$T/board")" = "$(jq -S "$said" "$T/out")" ] || { jq .head "$T/board"; jq -S "$said" "$T/out"; fail "head and report differ"; }
# a difference is found: the same truth with one bad board's code changed, one PASS's flash changed, one slot changed
for change in 'if .planted then .expect = ["x.y"] else . end' 'if .saw == "pass" then .flash = "00" else . end' 'if .unit == 9 then .slot = 77 else . end'; do
    jq -c "$change" "$T/truth" >"$T/truth.false"
    expect_exit 1 node tests/shift/compare.mjs "$T/truth.false" "$T/attempts" 0x400000 "$T/image@0x10000"
done
expect_exit 0 "$FL" audit --data "$T/data"
