#!/bin/sh
# A whole shift: 2,000 simulated boards on 16 slots, a lot with rules, serial numbers and labels. At the end the records
# equal the truth: every PASS holds the right bytes, every planted fault was found with its code in its slot, no unit
# counts twice, the one slot whose cable wore out was closed and no other, every label printed once, no serial number
# given twice or lost.
. tests/flow/lib.sh
. tests/shift/lib.sh
SCRIPT=${1:-tests/shift/whole.yaml}
SLOTS=${2:-16}
# one speed and one attempt: five boards on a bad cable fail within two minutes
shift_profile 60001 '{baud: 115200, stub: required}' 1
echo '{"slot": {"consecutive": 5}, "serial": {"template": "SN-{n:6}"}}' >"$T/rules.json"
shift_lot "$T/rules.json"

# the engineer: a slot that is closed is reopened when it has a new cable
engineer() {
    while sleep 0.5; do
        for slot in $(sql "SELECT slot FROM line_stop WHERE reopened IS NULL AND slot IS NOT NULL" 2>/dev/null); do
            grep -q "\"type\":\"cable\",\"slot\":$slot,\"bad\":false" "$T/truth" || continue
            "$FL" line ack --slot "$slot" --operator rosa --why "new cable" --data "$T/data" >>"$T/acks" 2>&1 || :
        done
    done
}
engineer &
PIDS="$PIDS $!"
run_shift "$SCRIPT" "$SLOTS" 1500
truth_is_recorded
[ "$(sql "SELECT rule, slot, reopened IS NOT NULL FROM line_stop")" = "consecutive|11|1" ] || { sql "SELECT * FROM line_stop"; fail "stops: not slot 11, once, reopened"; }
tail -n 1 "$T/results"
