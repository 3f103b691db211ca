#!/bin/sh
# A board pulled mid-write (its port vanishes): ERROR link.lost, recorded, no hang; Ctrl-C mid-write: ABORTED, recorded.
. tests/flow/lib.sh
demo_images
p=profiles/demo-esp32.yaml
sim_start slow --boards 2 --pace real
"$FL" flash --profile $p --station "$T/slow.yaml" --data "$T/data" --format json >"$T/result" 2>"$T/e1" &
run=$!
PIDS="$PIDS $run"
writing() { grep -q '^  1 .* write' "$T/e1" && grep -q '^  2 .* write' "$T/e1"; }
wait_for "both slots to write" 60 writing || { cat "$T/e1"; fail "no write"; }
kill -9 $SIM
rc=0
wait $run || rc=$?
[ $rc = 1 ] || { cat "$T/result" "$T/e1"; fail "exit $rc, expected 1"; }
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/result" | sort -u)" = "ERROR link.lost" ] ||
    { cat "$T/result"; fail "not link.lost"; }
sim_start slow2 --boards 1 --pace real
"$FL" flash --profile $p --station "$T/slow2.yaml" --data "$T/data" --format json >"$T/result2" 2>"$T/e2" &
run=$!
PIDS="$PIDS $run"
writing() { grep -q ' write' "$T/e2"; }
wait_for "the slot to write" 60 writing || { cat "$T/e2"; fail "no write"; }
kill -INT $run
rc=0
wait $run || rc=$?
[ $rc = 1 ] || { cat "$T/result2" "$T/e2"; fail "exit $rc, expected 1"; }
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/result2")" = "ABORTED operator.cancelled" ] ||
    { cat "$T/result2"; fail "not ABORTED"; }
[ "$(sql "SELECT count(*) FROM attempt_view WHERE leaf IS NOT NULL")" = 3 ] || fail "an attempt is missing in the record"
expect_exit 0 "$FL" audit --data "$T/data"
