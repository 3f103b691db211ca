#!/bin/sh
# Commands around an attempt: facts on their input, exit code and output in the record, one that says no, one that hangs
# and is killed with what it started, one that is not there. And numbers in the boot log with limits.
. tests/flow/lib.sh
demo_images
sim_start sim --boards 1
profile() { # profile LINE...: the demo profile with these lines more
    sed "s|, file: |, file: $PWD/profiles/|" profiles/demo-esp32.yaml | grep -v '^boot_check' >"$T/p.yaml"
    printf '%s\n' "boot_check: {expect: flashline-demo, within: 10s}" "$@" >>"$T/p.yaml"
    # the last one said counts
    if printf '%s\n' "$@" | grep -q '^boot_check'; then sed -i '/^boot_check: {expect: flashline-demo, within: 10s}$/d' "$T/p.yaml"; fi
}
station() { { printf '%s\n' "$@"; grep -v '^station' "$T/sim.yaml"; } >"$T/station.yaml"; }
flash() { expect_exit "$1" "$FL" flash --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data" --format json; }
last() { sql "SELECT $1 FROM attempt_view ORDER BY leaf DESC LIMIT 1"; }
hooks() { sql "SELECT hook, exit_code, replace(output, char(10), '') FROM attempt_hook WHERE leaf = (SELECT max(leaf) FROM attempt_view) ORDER BY n" | tr '\n' ' '; }

profile "before: {run: [sh, -c, 'cat >$T/before.json; echo power on']}" "after: {run: [sh, -c, 'cat >$T/after.json; echo power off']}"
station "before: {run: ['echo fixture \$((1+1))'], shell: true}"
flash 0
[ "$(last "outcome")" = PASS ] || fail "not PASS"
[ "$(jq -r '"\(.hook) \(.slot) \(.outcome)"' "$T/before.json")" = "before 1 null" ] || { cat "$T/before.json"; fail "input of before"; }
[ "$(jq -r '"\(.hook) \(.slot) \(.outcome) \(.mac)"' "$T/after.json")" = "after 1 PASS $(last mac)" ] || { cat "$T/after.json"; fail "input of after"; }
[ "$(hooks)" = "station.before|0|fixture 2 before|0|power on after|0|power off " ] || { hooks; fail "hooks in the record"; }

# before says no: the board is not touched; after runs all the same and changes nothing
profile "before: {run: ['false']}" "after: {run: [sh, -c, 'echo off; exit 9']}"
station
flash 1
[ "$(last "outcome, fault, step, coalesce(mac, '-')")" = "FAIL|hook.refused|before|-" ] || { last "outcome, fault, step, mac"; fail "before says no"; }
[ "$(hooks)" = "before|1| after|9|off " ] || { hooks; fail "after did not run"; }

# the external tester after a good attempt: no, broken, missing
while read -r run code outcome fault; do
    profile "after: {run: [$run]}"
    flash "$code"
    [ "$(last "outcome, fault")" = "$outcome|$fault" ] || { last "outcome, fault"; fail "after: $run"; }
done <<'END'
'false' 1 FAIL hook.refused
sh,-c,'exit_2' 1 ERROR hook.failed
/no/such/tester 1 ERROR hook.missing
END

# one that hangs, with a child: both are gone afterwards
profile "before: {run: [sh, -c, 'sleep 987 & echo \$! >$T/child; wait'], within: 500ms}"
flash 1
[ "$(last "outcome, fault")" = "ERROR|hook.timeout" ] || { last "outcome, fault"; fail "hanging"; }
[ "$(hooks)" = "before|-9| " ] || { hooks; fail "hanging: record"; }
gone() { ! kill -0 "$(cat "$T/child")"; }
wait_for "the hook's child to be gone" 10 gone || fail "a hanging hook's child lives"

# one that ends in time while the station is held up past that time: its end counts, not when it was seen
mkfifo "$T/release"
profile "before: {run: [sh, -c, 'echo >$T/began; cat $T/release'], within: 3s}"
"$FL" flash --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data" >"$T/out" 2>"$T/err" &
run=$!
PIDS="$PIDS $run"
wait_for "the hook" 20 test -s "$T/began" || fail "no hook"
kill -STOP $run
timeout 20 sh -c ": >$T/release" || fail "the hook is gone"
sleep 3.2 # longer than `within`
kill -CONT $run
wait $run || { cat "$T/out" "$T/err"; fail "a hook that ended in time was told to be late"; }
[ "$(last "outcome")" = PASS ] || fail "held up: not PASS"

# numbers: the simulated start says "I (NN) boot: Multicore bootloader" and the like
check() { # check MEASURE EXIT WANT
    profile "boot_check: {expect: flashline-demo, within: 4s, measure: [{name: t, $1}]}"
    flash "$2"
    [ "$(last "outcome, coalesce(fault, '')")" = "$3" ] || { last "outcome, fault"; sql "SELECT boot_text FROM attempt_note ORDER BY leaf DESC LIMIT 1"; fail "$1"; }
}
check 'text: "I ({}) boot", limits: "0..100000 ms"' 0 "PASS|"
[ "$(sql "SELECT name, value >= 0, scale <= 5, unit_name, low, verdict FROM attempt_measure")" = "t|1|1|ms|0|marginal" ] ||
    { sql "SELECT * FROM attempt_measure"; fail "measure"; }
[ "$(jq -c 'select(.type=="attempt")|[.measures.t.verdict, .measures.t.unit, (.measures.t.value >= 0), .lot]' "$T/out")" = '["marginal","ms",true,null]' ] ||
    { cat "$T/out"; fail "measures in the result"; }
mac=$(last mac)
expect_exit 0 "$FL" trace "$mac" --data "$T/data"
expect_text "$T/out" '  measured t = [0-9.]+ ms, limits 0..100000: marginal'
expect_text "$T/out" '  command  station.before exit 0, [0-9]+ ms'
expect_text "$T/out" '           fixture 2'
expect_text "$T/out" '  boot     .*'
expect_exit 0 "$FL" trace "$mac" --data "$T/data" --format json
[ "$(jq -c '[.attempts[] | select(.measures != []) | .measures[0] | .name, .unit, .low == 0, .high == 100000, .verdict, (.value | type)]' "$T/out")" = \
    '["t","ms",true,true,"marginal","number"]' ] || { cat "$T/out"; fail "measures in the trace"; }
check 'text: "I ({}) boot", limits: "..-5"' 1 "FAIL|boot.limit"
check 'text: "pressure {} bar"' 1 "FAIL|boot.missing"
expect_exit 0 "$FL" audit --data "$T/data"
