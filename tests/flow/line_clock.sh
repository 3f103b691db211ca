#!/bin/sh
# The wall clock is set while the line works: more than a year forward, then a minute and a half back in the middle of an
# attempt. Waits, durations and rules do not notice; the records say clock_step; serial numbers count on; labels that waited
# for their printer under another date leave once when it is on. Set back by years, nothing is signed: no board passes, the
# line ends and says why, and goes on when the clock is right. The log is whole.
. tests/flow/lib.sh
demo_images
sanitizer=$(ldd "$FL" | sed -n 's/.*=> \(.*lib[at]san\.so[^ ]*\).*/\1/p')
export FL_CLOCK_FILE="$T/clock"
here() { env LD_PRELOAD="$sanitizer $PWD/$B/preload_clock.so" "$@"; }
# a day in June, so that no year ends between two looks at it
june=$(($(date -u -d 2031-06-15T12:00 +%s) - $(date +%s)))
set_clock() { echo $((june + $1)) >"$T/clock.new" && mv "$T/clock.new" "$T/clock"; }
set_clock 0
here "$FL" --version >/dev/null
hold_ports 3
set -- $PORTS
sed "s|, file: |, file: $PWD/profiles/|" profiles/demo-esp32.yaml >"$T/p.yaml"
echo 'detect: {every: 100ms, removed: 300ms}' >>"$T/p.yaml"
echo '^XA^FDmac={mac} serial={serial}^FS^XZ' >"$T/label.zpl"
cat >"$T/station.yaml" <<Y
station: bench
labels: {printer: "tcp://127.0.0.1:$3", template: label.zpl}
slots:
  - {slot: 1, port: "rfc2217://127.0.0.1:$1"}
  - {slot: 2, port: "rfc2217://127.0.0.1:$2"}
Y
echo 'serial: {template: "C{yyyy}-{n:4}"}' >"$T/rules.yaml"
expect_exit 0 here "$FL" init --data "$T/data" --station bench --no-passphrase
expect_exit 0 here "$FL" lot open L-1 --profile "$T/p.yaml" --rules "$T/rules.yaml" --data "$T/data"
here "$FL" run --profile "$T/p.yaml" --station "$T/station.yaml" --lot L-1 --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
RUN=$!
PIDS="$PIDS $RUN"
board() { # board PORT SEED OPTIONS
    port=$1 seed=$2
    shift 2
    "$FL" sim --boards 1 --listen "127.0.0.1:$port" --station-file "$T/s$seed.yaml" --seed "$seed" "$@" >"$T/sim$seed" 2>&1 &
    SIM=$!
    PIDS="$PIDS $SIM"
}
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }
wait_for "the line" 20 test -S "$T/data/door" || { cat "$T/progress"; fail "no line"; }
board "$1" 41
wait_for "a board" 60 attempts 1 || { cat "$T/progress"; fail "the first board"; }
tried() { [ "$(sql "SELECT max(tries) >= 1 FROM outbox WHERE kind = 'label'")" = 1 ]; }
wait_for "a label tried in vain" 20 tried || fail "the label"

set_clock $((400 * 86400))
kill $SIM; wait $SIM 2>/dev/null || :
board "$2" 42
wait_for "a board a year later" 60 attempts 2 || { cat "$T/progress"; fail "the second board"; }

# in the middle of an attempt: this one takes its seconds
kill $SIM; wait $SIM 2>/dev/null || :
board "$1" 43 --pace real
first=$(jq -r 'select(.slot==1)|.mac' "$T/result")
writes() { grep -E '^  1 .* WORK .* write ' "$T/progress" | grep -qv "$first"; }
wait_for "the third to be written" 60 writes || { cat "$T/progress"; fail "the third board"; }
set_clock $((400 * 86400 - 90))
# the printer is on again: what waited under two other dates leaves, and what comes of this one, each once
socat -u "TCP-LISTEN:$3,bind=127.0.0.1,fork,reuseaddr" "OPEN:$T/printed,creat,append" &
PIDS="$PIDS $!"
wait_for "a board under a clock set back" 60 attempts 3 || { cat "$T/progress"; fail "the third board"; }

labels() { [ "$(grep -c '\^XZ' "$T/printed")" -ge 3 ]; }
wait_for "three labels" 60 labels || { sql "SELECT id, tries, next_ms, why FROM outbox"; fail "labels under another date are not printed"; }
# years back: whoever signed under a later date signs nothing until the clock is right
kill $SIM; wait $SIM 2>/dev/null || :
set_clock $((-3 * 366 * 86400))
board "$2" 44
rc=0
wait $RUN || rc=$?
[ $rc = 3 ] || { cat "$T/progress"; fail "exit $rc, expected 3: the clock is years behind"; }
expect_text "$T/progress" 'the clock is [0-9]+ s behind the time of the last signature: nothing is signed until it is right'
# whether the board was begun before another record was refused is chance; that it did not pass is not
[ "$(jq -c 'select(.type=="attempt" and .outcome=="PASS")' "$T/result" | wc -l)" = 3 ] || { cat "$T/result"; fail "a board under a wrong clock passed"; }
[ -z "$(jq -c 'select(.type=="attempt" and .outcome!="PASS" and .fault!="station.record")' "$T/result")" ] || { cat "$T/result"; fail "another fault"; }
set_clock $((400 * 86400))
expect_exit 0 here "$FL" flash --profile "$T/p.yaml" --port "rfc2217://127.0.0.1:$2" --lot L-1 --data "$T/data"
[ "$(sort "$T/printed" | uniq | wc -l)" = 3 ] && [ "$(wc -l <"$T/printed")" = 3 ] || { cat "$T/printed"; fail "a label twice"; }
[ "$(sql "SELECT serial FROM attempt_view WHERE outcome = 'PASS' ORDER BY leaf" | tr '\n' ' ')" = "C2031-0001 C2032-0002 C2032-0003 C2032-0004 " ] || { sql "SELECT * FROM attempt_view"; fail "serial numbers"; }
jq -se '[.[] | select(.type=="attempt").seconds] | all(. > 0 and . < 60)' "$T/result" >/dev/null || { cat "$T/result"; fail "how long an attempt took"; }
[ "$(sql "SELECT count(*) FROM attempt_view WHERE ms BETWEEN 1 AND 60000 AND outcome = 'PASS'")" = 4 ] || fail "durations in the records"
# each step, of the size that was set, is said before the record that it concerns
[ "$(sql "SELECT group_concat(round((json_extract(rec, '$.to_ms') - json_extract(rec, '$.from_ms')) / 1000.0), ' ') FROM record WHERE event = 'clock_step'")" = \
    "34560000.0 -90.0" ] || { sql "SELECT rec FROM record WHERE event = 'clock_step'"; fail "the steps of the clock"; }
expect_exit 0 here "$FL" audit --data "$T/data"

# the clock was ahead all that time, and is right now: nothing goes on, it is said what to do, an engineer does it once, and
# the audit shows it for ever
tell() { here "$FL" operator begin eva --data "$T/data"; }
set_clock 0
expect_exit 3 tell
expect_text "$T/err" 'an engineer says so: flashline key clock'
expect_exit 2 here "$FL" key clock --operator adam --data "$T/data"
expect_exit 0 here "$FL" key clock --operator adam --why 'battery changed' --data "$T/data"
expect_exit 2 here "$FL" key clock --operator adam --why 'once more' --data "$T/data"
expect_text "$T/err" 'the clock is not behind the newest record'
expect_exit 0 tell
expect_exit 0 here "$FL" audit --data "$T/data" --format json
[ "$(jq -r '.life.steps[-1] | "\(.why) \(.ms / 86400000 | round)"' "$T/out")" = "battery changed -400" ] || { cat "$T/out"; fail "the engineer's step"; }
expect_exit 0 here "$FL" audit --data "$T/data"
expect_text "$T/out" 'record [0-9]+: (399|400) days back, an engineer said: battery changed'
[ "$(sql "SELECT json_extract(rec, '$.operator') LIKE '#%' FROM record WHERE json_extract(rec, '$.why') = 'battery changed'")" = 1 ] || fail "the engineer's tag"
