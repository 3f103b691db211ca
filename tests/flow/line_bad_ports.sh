#!/bin/sh
# Ports that are not there, taken, silent or talking: each ends in a clear sentence with its fault code, the right outcome
# and exit code, and nothing hangs.
. tests/flow/lib.sh
demo_images
p=profiles/demo-esp32.yaml alone=
one() { # one EXIT OUTCOME FAULT URL
    # shellcheck disable=SC2086 # words
    expect_exit "$1" timeout 60 $alone "$FL" flash --profile $p --port "$4" --data "$T/data" --format json
    got=$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out")
    [ "$got" = "$2 $3" ] || { cat "$T/out" "$T/err"; fail "$4: '$got', expected '$2 $3'"; }
    [ "$2" = PASS ] || [ -n "$(jq -r 'select(.type=="attempt")|.why//""' "$T/out")" ] || fail "$4: no sentence"
}

cat >"$T/boards.yaml" <<Y
boards:
  - {board: 1, faults: [{kind: silent}]}
  - {board: 2, faults: [{kind: app_only}]}
  - {board: 3, faults: [{kind: tx_dead}]}
  - {board: 4, faults: [{kind: echo}]}
Y
sim_start odd --boards 4 --scenario "$T/boards.yaml"
# These take their seconds: all three meanwhile, each with a folder of its own.
begin() { # begin NAME N: the board in the background
    { rc=0; timeout 60 "$FL" flash --profile $p --port "$(port_of odd "$2")" --data "$T/data-$1" --format json >"$T/$1.json" 2>"$T/$1.err" || rc=$?
      echo $rc >"$T/$1.rc"; } &
    PIDS="$PIDS $!"
}
collect() { # collect NAME EXIT "OUTCOME FAULT": an extended regular expression
    wait_for "the board '$1'" 60 test -s "$T/$1.rc" || { cat "$T/$1.err"; fail "$1: no end"; }
    got=$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/$1.json")
    [ "$(cat "$T/$1.rc")" = "$2" ] && echo "$got" | grep -Exq "$3" || { cat "$T/$1.json" "$T/$1.err"; fail "$1: '$got', exit $(cat "$T/$1.rc")"; }
    [ -n "$(jq -r 'select(.type=="attempt")|.why//""' "$T/$1.json")" ] || fail "$1: no sentence"
    expect_exit 0 "$FL" audit --data "$T/data-$1"
    [ "$(sqlite3 "$T/data-$1/flashline.db" 'SELECT count(*) FROM attempt_view')" = 1 ] || fail "$1: not recorded"
}
begin silent 1
begin app 2
begin dead 3

one 4 ERROR port.missing /dev/ttyUSB987
one 4 ERROR port.missing usb:9-9.9
one 4 ERROR port.missing pty:"$T/none"
one 4 ERROR port.failed rfc2217://127.0.0.1:1
one 4 ERROR port.missing socket://no-such-host.invalid:3001
# a port of this machine where nobody listens, and the very number that the system gives a client for its own end: TCP connects
# it to itself. In a network of our own, where there is no other number, that is no chance.
echo 'ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' >"$T/alone"
n=6
if unshare -rn sh "$T/alone" true 2>/dev/null; then
    n=7 alone="unshare -rn sh $T/alone"
    one 4 ERROR port.failed rfc2217://127.0.0.1:40000
    expect_text "$T/out" 'nothing listens on 127.0.0.1:40000'
    alone=
else
    echo "(no network of our own here: a client that meets itself was not tried)"
fi

collect silent 4 'ERROR link.silent'
collect app 1 'FAIL (boot.mode|board.app)'
collect dead 1 'ERROR link.tx_dead'
# an adapter that echoes is no reason to fail: our own frames are told from answers by their direction byte
one 0 PASS null "$(port_of odd 4)"

# a server that falls over in each attempt: `run` goes on, and does not fill the records
echo 'boards: [{board: 1, faults: [{kind: unplug, op: 0x05, count: 0, ms: 1}]}]' >"$T/losing.yaml"
sim_start lost --boards 1 --scenario "$T/losing.yaml"
"$FL" run --profile $p --station "$T/lost.yaml" --data "$T/lost" --format json >"$T/lost.jsonl" 2>"$T/lost.err" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the third loss" 60 sh -c "[ \$(grep -c link.lost '$T/lost.jsonl') -ge 3 ]"
wait_for "the slot to be waited with" 30 sh -c "'$FL' status --data '$T/lost' --format json | jq -e '.line.slots[0].fault == \"port.flapping\"'"
kill -INT $RUN
wait $RUN || :
[ "$(grep -c link.lost "$T/lost.jsonl")" -le 20 ] || fail "$(grep -c link.lost "$T/lost.jsonl") attempts at a port that loses each"

# all of it is recorded, and the log is whole
expect_exit 0 "$FL" audit --data "$T/data"
[ "$(sql 'SELECT count(*) FROM attempt_view')" = $n ] || { sql 'SELECT slot, outcome, fault FROM attempt_view'; fail "an attempt is missing"; }
