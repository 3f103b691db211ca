#!/bin/sh
# `run` stays: an empty slot waits, a board that appears is flashed once and left alone while it stays in, another one
# that takes its place is flashed too; SIGTERM ends it in order.
. tests/flow/lib.sh
demo_images
# the slot is there before any board is
hold_ports 1
port=$PORTS
board() { # board SEED: one board at that port
    "$FL" sim --boards 1 --listen 127.0.0.1:"$port" --station-file "$T/st.yaml" --seed "$1" >"$T/sim$1" 2>&1 &
    SIM=$!
    PIDS="$PIDS $SIM"
}
"$FL" run --profile profiles/demo-esp32.yaml --port "rfc2217://127.0.0.1:$port" --data "$T/data" --format json \
    >"$T/result" 2>"$T/progress" &
run=$!
PIDS="$PIDS $run"
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }
# one station, one process
at_work() { [ -S "$T/data/door" ]; }
wait_for "the line" 20 at_work || { cat "$T/progress"; fail "no line"; }
expect_exit 3 "$FL" flash --profile profiles/demo-esp32.yaml --port "rfc2217://127.0.0.1:$port" --data "$T/data"
expect_text "$T/err" "another flashline works on .*: end it first"
sleep 1.5 # three looks at an empty slot: nothing may be recorded of them
board 11
wait_for "the first board" 60 attempts 1 || { cat "$T/progress"; fail "the first board was not flashed"; }
sleep 7 # a probe and several looks: it stays in and is left alone
attempts 2 && fail "a finished board was flashed again"
expect_exit 0 "$FL" status --data "$T/data" --format json
[ "$(jq -r '.line.slots[] | "\(.slot) \(.state)"' "$T/out")" = "1 pass" ] || { cat "$T/out"; fail "status: the line at work"; }
expect_exit 0 "$FL" status --data "$T/data"
expect_text "$T/out" '^line  *at work, 1 slot: 1 pass$'
kill $SIM; wait $SIM 2>/dev/null || :
board 12
wait_for "the second board" 60 attempts 2 || { cat "$T/progress"; fail "the second board was not flashed"; }
kill -TERM $run
rc=0
wait $run || rc=$?
[ $rc = 0 ] || { cat "$T/result" "$T/progress"; fail "exit $rc, expected 0"; }
[ "$(jq -r 'select(.type=="attempt")|.outcome' "$T/result" | tr '\n' ' ')" = "PASS PASS " ] || fail "not two PASS"
[ "$(jq -r 'select(.type=="attempt")|.mac' "$T/result" | sort -u | wc -l)" = 2 ] || fail "not two boards"
[ "$(tail -n 1 "$T/result" | jq -r '"\(.type) \(.attempts) \(.pass)"')" = "totals 2 2" ] || fail "the totals are wrong"
[ "$(sql "SELECT count(*) FROM attempt_view")" = 2 ] || fail "an empty slot was recorded"
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" status --data "$T/data" --format json
[ "$(jq .line "$T/out")" = null ] || fail "status: a line that has ended"
# somebody is at the door and hangs up: that is not the same as nobody
socat "UNIX-LISTEN:$T/data/door,fork" "EXEC:true" 2>/dev/null &
PIDS="$PIDS $!"
wait_for "the door" 10 test -S "$T/data/door"
expect_exit 0 "$FL" status --data "$T/data" --format json
[ "$(jq -r '.line.trouble | length > 0' "$T/out")" = true ] || { cat "$T/out"; fail "status: a line that does not answer"; }
expect_exit 0 "$FL" status --data "$T/data"
expect_text "$T/out" '^line  *at work, but it does not say'
