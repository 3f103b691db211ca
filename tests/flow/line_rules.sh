#!/bin/sh
# The rules of a lot at work: too many failures in a row stop the line, across a restart, until somebody named reopens it;
# a file that changes stops it; golden boards come first; serial numbers come back from units that failed and are never
# given twice.
. tests/flow/lib.sh
demo_images
mkdir "$T/p"
cp -r build/demo/esp32 "$T/p/images"
sed 's|\.\./build/demo/esp32|images|' profiles/demo-esp32.yaml | sed 's/^retry.*/retry: {attempts: 1}/' >"$T/p/p.yaml"
printf 'detect: {every: 100ms, removed: 200ms}\n' >>"$T/p/p.yaml"
cat >"$T/sim.scenario" <<'END'
boards:
  - {board: 1, flash: {stuck: [0x10000]}}
  - {board: 2, flash: {stuck: [0x10000]}}
  - {board: 4, mac: "24:6f:28:00:00:44"}
END
sim_start sim --boards 4 --scenario "$T/sim.scenario"
lot() { "$FL" lot open "$@" --profile "$T/p/p.yaml" --data "$T/data" --operator eva >"$T/lot.out" 2>&1 || { cat "$T/lot.out"; fail "lot open"; }; }
flash() { # flash EXIT BOARD LOT
    # shellcheck disable=SC2086
    expect_exit "$1" "$FL" flash --profile "$T/p/p.yaml" --port "$(port_of sim "$2")" --lot "$3" --data "$T/data" --format json ${PURPOSE:-}
    jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out" >"$T/is"
}
is() { [ "$(cat "$T/is")" = "$1" ] || { cat "$T/out" "$T/err"; fail "'$(cat "$T/is")', expected '$1'"; }; }
expect_exit 0 "$FL" init --data "$T/data" --station bench --no-passphrase

echo '{"slot": {"consecutiv": 3}}' >"$T/rules.json"
expect_exit 2 "$FL" lot open L-0 --profile "$T/p/p.yaml" --rules "$T/rules.json" --data "$T/data"
expect_text "$T/err" "rules.json:1:11: unknown key 'slot.consecutiv', expected 'consecutive'"
cat >"$T/rules.json" <<'END'
{"line": {"consecutive": 2}, "serial": {"template": "SN-{n:5}", "first": 8}, "takt": 20}
END
lot L-1 --rules "$T/rules.json"
flash 1 1 L-1
is "FAIL verify.md5"
flash 1 2 L-1
is "FAIL verify.md5"
flash 1 3 L-1 # a good board, in a program that starts anew
is "ABORTED rule.consecutive"
[ "$(sql "SELECT rule, coalesce(slot, '-'), reopened IS NULL FROM line_stop")" = "consecutive|-|1" ] || { sql "SELECT * FROM line_stop"; fail "the stop"; }
expect_exit 2 "$FL" line ack --why "flash chips of another maker" --data "$T/data"
expect_exit 2 "$FL" line ack --slot 3 --operator eva --why x --data "$T/data"
expect_text "$T/err" "the slot is not stopped"
expect_exit 0 "$FL" line ack --operator eva --why "flash chips of another maker" --data "$T/data"
[ "$(sql "SELECT reason, o.name FROM line_stop JOIN operator_view o ON o.id = reopened_by")" = "flash chips of another maker|eva" ] || fail "who reopened, and why"
flash 0 3 L-1
is "PASS null"
# one number was asked for at a time: the units that failed gave theirs back, and the good one has it
[ "$(sql "SELECT serial, state FROM serial")" = "SN-00008|confirmed" ] || { sql "SELECT * FROM serial"; fail "serial numbers"; }
flash 1 3 L-1
is "ABORTED lot.duplicate"
flash 1 1 L-1
is "FAIL verify.md5"
[ "$(sql "SELECT serial, state FROM serial ORDER BY serial" | tr '\n' ' ')" = "SN-00008|confirmed SN-00009|returned " ] || { sql "SELECT * FROM serial"; fail "a number given twice"; }

# a line at work: a file that somebody writes over stops it; put right and acknowledged at its door, it goes on by itself
kill "$SIM"
wait "$SIM" 2>/dev/null || :
hold_ports 1
port=$PORTS
cp "$T/p/images/app.bin" "$T/app.bin"
lot L-2
"$FL" run --profile "$T/p/p.yaml" --port "rfc2217://127.0.0.1:$port" --lot L-2 --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
run=$!
PIDS="$PIDS $run"
says() { grep -Eq -- "$1" "$T/progress"; }
ready() { [ -S "$T/data/door" ]; }
wait_for "the line" 20 ready || { cat "$T/progress"; fail "no line"; }
board() { # board SEED
    "$FL" sim --boards 1 --listen "127.0.0.1:$port" --station-file "$T/one.yaml" --seed "$1" >"$T/one" 2>&1 &
    SIM=$!
    PIDS="$PIDS $SIM"
}
passed() { [ "$(grep -c '"outcome":"PASS"' "$T/result")" = "$1" ]; }
board 4
wait_for "a board" 30 passed 1 || { cat "$T/progress"; fail "no board passed"; }
kill "$SIM"; wait "$SIM" 2>/dev/null || :
printf 'x' >>"$T/p/images/app.bin"
board 5
wait_for "the changed file to be seen" 30 says 'station\.image' || { cat "$T/progress"; fail "a changed file was not seen"; }
kill "$SIM"; wait "$SIM" 2>/dev/null || :
wait_for "the slot to show that the line is stopped" 30 says 'CLOSED .*rule\.image' || { cat "$T/progress"; fail "not shown"; }
cp "$T/app.bin" "$T/p/images/app.bin"
expect_exit 0 "$FL" line ack --operator eva --why "build server wrote into the release" --data "$T/data"
board 5
wait_for "the board" 30 passed 2 || { cat "$T/progress"; fail "the line did not go on"; }
kill -TERM $run
wait $run || :
[ "$(sql "SELECT rule, reopened IS NOT NULL FROM line_stop ORDER BY leaf DESC LIMIT 1")" = "image|1" ] || fail "the stop by a changed file"

# the boards of the shift's start first: the golden one must pass, the known-bad one must fail
sim_start again --boards 4 --scenario "$T/sim.scenario"
port_of() { sed -n 's/.*port: *"\{0,1\}\([^",}]*\)"\{0,1\}.*/\1/p' "$T/again.yaml" | sed -n "$2p"; }
echo '{"shift": {"golden": ["24:6f:28:00:00:44"]}}' >"$T/rules.json"
lot L-3 --rules "$T/rules.json"
image=$(sha256sum "$T/p/images/app.bin" | cut -d' ' -f1)
flash 1 3 L-3
is "ABORTED lot.shift"
expect_exit 0 "$FL" trace --lot L-3 --image "$image" --data "$T/data" # it was refused: it received nothing
expect_text "$T/out" '^0 units'
flash 0 4 L-3
is "PASS null"
expect_exit 0 "$FL" trace --lot L-3 --image "$image" --data "$T/data" --format csv
[ "$(cut -d, -f1 "$T/out" | tr -d '\r' | tr '\n' ' ')" = "mac 24:6f:28:00:00:44 " ] || { cat "$T/out"; fail "who received the image"; }
[ "$(sql "SELECT purpose FROM attempt_view ORDER BY leaf DESC LIMIT 1")" = golden ] || fail "purpose"
[ "$(sql "SELECT passed FROM lot WHERE name = 'L-3'")" = 0 ] || fail "a golden board was counted"

# a dry run and a sample that is named by hand: flashed and recorded, counted nowhere
units=$("$FL" report summary --data "$T/data" --format json | jq -c '[.units, .attempts]')
for purpose in dry_run golden known_bad; do
    PURPOSE="--purpose $purpose" flash 0 3 L-3
    is "PASS null"
    [ "$(sql "SELECT purpose, coalesce(number, '-'), coalesce(serial, '-') FROM attempt_view ORDER BY leaf DESC LIMIT 1")" = "$purpose|-|-" ] || fail "$purpose"
done
[ "$("$FL" report summary --data "$T/data" --format json | jq -c '[.units, .attempts]')" = "$units" ] || fail "a dry run was counted"
[ "$(sql "SELECT passed FROM lot WHERE name = 'L-3'")" = 0 ] || fail "a dry run was counted in its lot"
# two boards with one MAC at once: one of them is worked on, the other is an alarm, and not every unit is PASS
cat >"$T/twins.scenario" <<'END'
defaults: {faults: [{kind: delay, ms: 1500, op: 0x13}]}
boards: [{board: 1, mac: "24:6f:28:00:00:77"}, {board: 2, mac: "24:6f:28:00:00:77"}]
END
sim_start twins --boards 2 --scenario "$T/twins.scenario"
expect_exit 1 "$FL" flash --profile "$T/p/p.yaml" --station "$T/twins.yaml" --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out" | sort | tr '\n' ' ')" = "ERROR unit.twice PASS null " ] || { cat "$T/out"; fail "twins"; }
expect_exit 2 "$FL" flash --purpose dry-run --profile "$T/p/p.yaml" --port x --data "$T/data"
expect_text "$T/err" "dry_run, golden or known_bad"
# a line that stays: a board that is in waits until both were shown; a known-bad one that passes stops it
bad=24:6f:28:00:00:55
cat >"$T/sim.scenario" <<END
boards: [{board: 1, mac: "24:6f:28:00:00:44"}, {board: 2, mac: "$bad", flash: {stuck: [0x10000]}}, {board: 3}]
END
sim_start shift --boards 3 --scenario "$T/sim.scenario"
printf 'shift: {golden: ["24:6f:28:00:00:44"], known_bad: ["%s"]}\n' "$bad" >"$T/rules.yaml"
lot L-4 --rules "$T/rules.yaml"
"$FL" run --profile "$T/p/p.yaml" --station "$T/shift.yaml" --lot L-4 --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
run=$!
PIDS="$PIDS $run"
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }
wait_for "three boards" 60 attempts 3 || { cat "$T/progress"; fail "the shift's start"; }
kill -TERM $run
wait $run || :
[ "$(jq -r 'select(.type=="attempt")|"\(.slot) \(.outcome) \(.fault) \(.purpose)"' "$T/result" | grep -v '^3' | sort | tr '\n' ';')" = \
    "1 PASS null golden;2 FAIL verify.md5 known_bad;" ] || { cat "$T/result"; fail "golden and known-bad"; }
third=$(jq -r 'select(.type=="attempt" and .slot==3)|"\(.outcome) \(.fault)"' "$T/result")
case $third in "ABORTED lot.shift" | "PASS null") ;; *) cat "$T/result"; fail "the third board: $third" ;; esac
# let in after both, and never before: the order of the records tells
[ "$(sql "SELECT count(*) FROM attempt_view v WHERE lot = 'L-4' AND outcome = 'PASS' AND purpose IS NULL
    AND leaf < (SELECT max(leaf) FROM attempt_view WHERE lot = 'L-4' AND purpose IS NOT NULL)")" = 0 ] || fail "production before the shift's start was done"
[ "$(sql "SELECT count(*) FROM line_stop WHERE reopened IS NULL AND lot = (SELECT id FROM lot WHERE name = 'L-4')")" = 0 ] || fail "stopped although both were right"
kill "$SIM"
wait "$SIM" 2>/dev/null || :
echo "boards: [{board: 1, mac: \"$bad\"}, {board: 2}]" >"$T/sim.scenario" # it was repaired, and nobody said so
sim_start fixed --boards 2 --scenario "$T/sim.scenario"
port_of() { sed -n 's/.*port: *"\{0,1\}\([^",}]*\)"\{0,1\}.*/\1/p' "$T/fixed.yaml" | sed -n "$2p"; }
flash 0 1 L-4
is "PASS null"
flash 1 2 L-4
is "ABORTED rule.shift"
[ "$(sql "SELECT rule, slot IS NULL FROM line_stop ORDER BY leaf DESC LIMIT 1")" = "shift|1" ] || { sql "SELECT * FROM line_stop"; fail "a known-bad board that passes"; }
expect_exit 0 "$FL" audit --data "$T/data"
