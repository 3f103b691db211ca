#!/bin/sh
# A shift with a bad delivery, another seed, and rules that must fire: one fault too often stops the line again and again,
# a cable that wears out closes its slot; an engineer reopens each. Records and truth are equal, and the stops are those
# that the rules ask for, worked out a second time from the records: where they should, and nowhere else.
. tests/flow/lib.sh
. tests/shift/lib.sh
SCRIPT=${1:-tests/shift/stops.yaml}
SLOTS=${2:-12}
shift_profile 60001 '{baud: 115200, stub: required}' 1
cat >"$T/rules.yaml" <<'Y'
slot: {consecutive: 3, yield: 40, after: 12}
line: {same_fault: 12}
serial: {template: "SN-{n:6}"}
Y
echo '{"slot": {"consecutive": 3, "yield": 40, "after": 12}, "line": {"same_fault": 12}}' >"$T/rules.json"
shift_lot "$T/rules.yaml"

# the engineer: a slot with a bad cable is reopened when it has a new one, everything else at once
waits_for_cable() { grep -q "\"type\":\"cable\",\"slot\":$1,\"bad\":true" "$T/truth" && ! grep -q "\"type\":\"cable\",\"slot\":$1,\"bad\":false" "$T/truth"; }
engineer() {
    while sleep 0.5; do
        for slot in $(sql "SELECT coalesce(slot, 0) FROM line_stop WHERE reopened IS NULL" 2>/dev/null); do
            waits_for_cable "$slot" && continue
            "$FL" line ack $([ "$slot" = 0 ] || echo "--slot $slot") --operator rosa --why "looked at" --data "$T/data" >>"$T/acks" 2>&1 || :
        done
    done
}
engineer &
PIDS="$PIDS $!"
run_shift "$SCRIPT" "$SLOTS" 1500
truth_is_recorded

sqlite3 -json "$T/data/flashline.db" "SELECT v.leaf, 'attempt' AS what, slot, outcome, fault, mac, NULL AS rule FROM attempt_view v WHERE lot = 'L-1'
    UNION ALL SELECT leaf, 'stop', coalesce(slot, 0), NULL, NULL, NULL, rule FROM line_stop
    UNION ALL SELECT reopened, 'reopen', coalesce(slot, 0), NULL, NULL, NULL, NULL FROM line_stop WHERE reopened IS NOT NULL ORDER BY 1" | jq -c '.[]' >"$T/events"
node tests/shift/stops.mjs "$T/rules.json" "$T/events" "$SLOTS" || fail "the rules stopped something else"
[ "$(sql "SELECT count(*) >= 3 FROM line_stop WHERE rule = 'same_fault' AND slot IS NULL")" = 1 ] || fail "the line never stopped: nothing is proved"
[ "$(sql "SELECT count(*) >= 1 FROM line_stop WHERE slot = 4")" = 1 ] || fail "the bad cable closed nothing"
tail -n 1 "$T/results"
