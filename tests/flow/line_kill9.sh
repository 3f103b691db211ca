#!/bin/sh
# kill -9 while boards are being flashed: the log verifies, the torn attempts read INTERRUPTED, a re-run completes them.
. tests/flow/lib.sh
demo_images
sim_start sim --boards 4 --pace real
"$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/data" >"$T/o1" 2>"$T/e1" &
victim=$!
PIDS="$PIDS $victim"
started() { [ "$(sql "SELECT count(*) FROM record WHERE event='attempt_start'")" = 4 ]; }
wait_for "four attempts to be under way" 60 started || { cat "$T/e1"; fail "no attempts"; }
kill -9 $victim
wait $victim 2>/dev/null || :
[ "$(sql "SELECT count(*) FROM record WHERE event='attempt_result'")" = 0 ] || fail "it was over before the kill"
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/data" --format json
expect_text "$T/err" '4 attempts without an end'
[ "$(sql "SELECT group_concat(outcome||'='||n) FROM (SELECT outcome, count(*) n FROM attempt_view GROUP BY 1 ORDER BY 1)")" = \
    "INTERRUPTED=4,PASS=4" ] || { sql "SELECT slot, mac, outcome FROM attempt_view"; fail "the outcomes are wrong"; }
[ "$(sql "SELECT count(DISTINCT mac) FROM attempt_view")" = 4 ] || fail "the torn attempts do not name their units"
expect_exit 0 "$FL" audit --data "$T/data"
