#!/bin/sh
# The signer is a process of its own: it dies and the station stops; it remembers, so that a database that was put back is
# refused; its memory gone, it signs for no log that has records.
. tests/flow/lib.sh
demo_images
sim_start sim --boards 2 --pace real
sim_start fast --boards 1
flash() { "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/fast.yaml" --data "$T/data"; }

# killed under way: the station turns red, and the next start goes on
"$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/data" >"$T/o1" 2>"$T/e1" &
station=$!
PIDS="$PIDS $station"
started() { [ "$(sql "SELECT count(*) FROM record WHERE event='attempt_start'")" = 2 ]; }
wait_for "two attempts to be under way" 60 started || { cat "$T/e1"; fail "no attempts"; }
signer=$(cat /proc/$station/task/*/children | tr ' ' '\n' | grep . | head -n 1)
tr '\0' ' ' </proc/"$signer"/cmdline | grep -q 'flashline signer --fd' || fail "the station has no signer as its child"
kill -9 "$signer"
rc=0
wait $station || rc=$?
[ $rc = 3 ] || { cat "$T/e1"; fail "exit $rc without a signer, expected 3"; }
expect_text "$T/e1" 'the station stopped: the signer ended'
[ "$(sql "SELECT count(*) FROM record WHERE event='attempt_result'")" = 0 ] || fail "something was recorded without a signature"
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 flash
expect_exit 0 "$FL" audit --data "$T/data"

# the station killed while its signer is held up: the signer has its memory until it notices, and the next start waits for that
"$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/data" >"$T/o2" 2>"$T/e2" &
station=$!
PIDS="$PIDS $station"
again() { [ "$(sql "SELECT count(*) FROM record WHERE event='attempt_start'")" -ge 5 ]; } # two, the fast board's one, two
wait_for "two attempts more to be under way" 60 again || { cat "$T/e2"; fail "no attempts"; }
signer=$(cat /proc/$station/task/*/children | tr ' ' '\n' | grep . | head -n 1)
kill -STOP "$signer"
kill -9 $station
wait $station 2>/dev/null || :
flash >"$T/o3" 2>"$T/e3" &
next=$!
PIDS="$PIDS $next"
sleep 1 # it finds the memory taken
kill -CONT "$signer"
wait $next || { cat "$T/e3"; fail "a start does not wait for the signer of a station that was killed"; }
expect_exit 0 "$FL" audit --data "$T/data"

# killed while nobody has anything to record: the line does not wait for the next board to find out
"$FL" run --profile profiles/demo-esp32.yaml --station "$T/fast.yaml" --data "$T/data" --format json >"$T/o4" 2>"$T/e4" &
station=$!
PIDS="$PIDS $station"
wait_for "an attempt that is over" 60 grep -q '"type":"attempt"' "$T/o4" || { cat "$T/e4"; fail "no attempt"; }
kill -9 "$(cat /proc/$station/task/*/children | tr ' ' '\n' | grep . | head -n 1)"
ended() { ! kill -0 $station; }
wait_for "the line's end" 30 ended || { cat "$T/e4"; fail "a line without a signer still says that it is ready"; }
rc=0
wait $station || rc=$?
[ $rc = 3 ] || { cat "$T/e4"; fail "exit $rc of a line without a signer, expected 3"; }
expect_text "$T/e4" 'the station stopped: the signer ended'
expect_exit 0 flash

# the database put back together with the file checkpoint: the signer knows, and whoever may read its memory
mkdir "$T/old"
cp "$T/data/flashline.db" "$T/data/checkpoint" "$T/old"
expect_exit 0 flash
rm -f "$T"/data/flashline.db*
cp "$T"/old/* "$T/data"
expect_exit 22 "$FL" audit --data "$T/data"
expect_exit 3 flash
expect_text "$T/err" 'ROLLBACK: the signer signed a head of [0-9]+ records'
expect_text "$T"/data/incident-*.txt 'ROLLBACK: the signer signed'
rm -f "$T"/data/incident-*

# a signer that has forgotten signs for nothing that has records
rm "$T"/data/key/memory.*
expect_exit 3 flash
expect_text "$T/err" 'the signer remembers no log'
