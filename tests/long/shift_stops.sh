#!/bin/sh
# A shift with a bad delivery, another seed, and rules that must fire: one fault too often stops the line again and again,
# a cable that wears out closes its slot; an engineer reopens each. Records and truth are equal, and the stops are those
# that the rules ask for, worked out a second time from the records: where they should, and nowhere else.
. tests/flow/lib.sh
. tests/shift/lib.sh
SCRIPT=${1:-tests/shift/stops.yaml}
SLOTS=${2:-12}
shift_profile 60001 '{baud: 115200, stub: required}' 1
printf '^XA^FO20,20^FDmac={mac}^FS^FO20,50^FDserial={serial}^FS^XZ\n' >"$T/label.zpl"
mkdir "$T/labels"
STATION_HEAD="labels: {printer: 'dir:$T/labels', template: label.zpl}"
cat >"$T/rules.yaml" <<'Y'
slot: {consecutive: 3, yield: 40, after: 12}
line: {same_fault: 12}
serial: {template: "SN-{n:6}"}
Y
echo '{"slot": {"consecutive": 3, "yield": 40, "after": 12}, "line": {"same_fault": 12}}' >"$T/rules.json"
expect_exit 0 "$FL" init --data "$T/data" --station shift --no-passphrase
expect_exit 0 "$FL" lot open L-1 --profile "$T/shift.p.yaml" --rules "$T/rules.yaml" --data "$T/data" --operator eva
RUN_OPTIONS="--lot L-1 --operator eva"

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
node tests/shift/compare.mjs "$T/truth" "$T/attempts" 0x400000 "$T/image@0x10000" || fail "records and truth differ"

sqlite3 -json "$T/data/flashline.db" "SELECT v.leaf, 'attempt' AS what, slot, outcome, fault, mac, NULL AS rule FROM attempt_view v WHERE lot = 'L-1'
    UNION ALL SELECT leaf, 'stop', coalesce(slot, 0), NULL, NULL, NULL, rule FROM line_stop
    UNION ALL SELECT reopened, 'reopen', coalesce(slot, 0), NULL, NULL, NULL, NULL FROM line_stop WHERE reopened IS NOT NULL ORDER BY 1" | jq -c '.[]' >"$T/events"
node tests/shift/stops.mjs "$T/rules.json" "$T/events" "$SLOTS" || fail "the rules stopped something else"
[ "$(sql "SELECT count(*) >= 3 FROM line_stop WHERE rule = 'same_fault' AND slot IS NULL")" = 1 ] || fail "the line never stopped: nothing is proved"
[ "$(sql "SELECT count(*) >= 1 FROM line_stop WHERE slot = 4")" = 1 ] || fail "the bad cable closed nothing"

passed=$(sql "SELECT count(DISTINCT unit) FROM attempt_view WHERE outcome = 'PASS'")
[ "$(sql "SELECT count(*) FROM attempt_view WHERE outcome = 'PASS'")" = "$passed" ] || fail "a unit passed twice in the lot"
[ "$(sql "SELECT count(*), count(DISTINCT serial), count(DISTINCT unit) FROM serial WHERE state = 'confirmed'")" = "$passed|$passed|$passed" ] ||
    { sql "SELECT state, count(*) FROM serial GROUP BY state"; fail "serial numbers: $passed units passed"; }
# none is lost: from the first to the last every number is with a unit, or was given back
[ "$(sql "SELECT count(*) = max(CAST(substr(serial, 4) AS INTEGER)) AND sum(state = 'reserved') = 0 FROM serial")" = 1 ] ||
    { sql "SELECT state, count(*), max(serial) FROM serial GROUP BY state"; fail "a serial number is lost"; }
[ "$(cat "$T"/labels/* | grep -c '\^XZ')" = "$passed" ] || fail "labels: $(cat "$T"/labels/* | grep -c '\^XZ') for $passed units"
[ "$(sed -n 's/.*mac=\([0-9a-f:]*\).*serial=\([^^]*\).*/\1 \2/p' "$T"/labels/* | sort -u | wc -l)" = "$passed" ] || fail "a label was printed twice"
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" db check --data "$T/data"
tail -n 1 "$T/results"
