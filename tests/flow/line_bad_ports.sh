#!/bin/sh
# Ports that are not there, taken, silent or talking: each ends in a clear sentence with its fault code, the right outcome
# and exit code, and nothing hangs.
. tests/flow/lib.sh
demo_images
p=profiles/demo-esp32.yaml
one() { # one EXIT OUTCOME FAULT URL
    expect_exit "$1" timeout 60 "$FL" flash --profile $p --port "$4" --data "$T/data" --format json
    got=$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out")
    [ "$got" = "$2 $3" ] || { cat "$T/out" "$T/err"; fail "$4: '$got', expected '$2 $3'"; }
    [ "$2" = PASS ] || [ -n "$(jq -r 'select(.type=="attempt")|.why//""' "$T/out")" ] || fail "$4: no sentence"
}
one 4 ERROR port.missing /dev/ttyUSB987
one 4 ERROR port.missing usb:9-9.9
one 4 ERROR port.missing pty:"$T/none"
one 4 ERROR port.failed rfc2217://127.0.0.1:1
one 4 ERROR port.missing socket://no-such-host.invalid:3001

cat >"$T/boards.yaml" <<Y
boards:
  - {board: 1, faults: [{kind: silent}]}
  - {board: 2, faults: [{kind: app_only}]}
  - {board: 3, faults: [{kind: tx_dead}]}
  - {board: 4, faults: [{kind: echo}]}
Y
sim_start odd --boards 4 --scenario "$T/boards.yaml"
one 4 ERROR link.silent "$(port_of odd 1)"
expect_exit 1 timeout 60 "$FL" flash --profile $p --port "$(port_of odd 2)" --data "$T/data" --format json
jq -r 'select(.type=="attempt")|.fault' "$T/out" | grep -Eq '^(boot\.mode|board\.app)$' || { cat "$T/out"; fail "app_only"; }
one 1 ERROR link.tx_dead "$(port_of odd 3)"
# an adapter that echoes is no reason to fail: our own frames are told from answers by their direction byte
one 0 PASS null "$(port_of odd 4)"

# all of it is recorded, and the log is whole
expect_exit 0 "$FL" audit --data "$T/data"
[ "$(sql 'SELECT count(*) FROM attempt_view')" = 9 ] || { sql 'SELECT slot, outcome, fault FROM attempt_view'; fail "an attempt is missing"; }
