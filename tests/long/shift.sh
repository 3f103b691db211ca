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
printf '^XA^FO20,20^FDmac={mac}^FS^FO20,50^FDserial={serial}^FS^XZ\n' >"$T/label.zpl"
mkdir "$T/labels"
STATION_HEAD="labels: {printer: 'dir:$T/labels', template: label.zpl}"
echo '{"slot": {"consecutive": 5}, "serial": {"template": "SN-{n:6}"}}' >"$T/rules.json"
expect_exit 0 "$FL" init --data "$T/data" --station shift --no-passphrase
expect_exit 0 "$FL" lot open L-1 --profile "$T/shift.p.yaml" --rules "$T/rules.json" --data "$T/data" --operator eva
RUN_OPTIONS="--lot L-1 --operator eva"

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
node tests/shift/compare.mjs "$T/truth" "$T/attempts" 0x400000 "$T/image@0x10000" || fail "records and truth differ"

passed=$(sql "SELECT count(DISTINCT unit) FROM attempt_view WHERE outcome = 'PASS'")
[ "$(sql "SELECT count(*) FROM attempt_view WHERE outcome = 'PASS'")" = "$passed" ] || fail "a unit passed twice in the lot"
[ "$(sql "SELECT count(*), count(DISTINCT serial), count(DISTINCT unit) FROM serial WHERE state = 'confirmed'")" = "$passed|$passed|$passed" ] ||
    { sql "SELECT state, count(*) FROM serial GROUP BY state"; fail "serial numbers: $passed units passed"; }
printed() { [ "$(cat "$T"/labels/* | grep -c '\^XZ')" = "$passed" ]; }
printed || fail "labels: $(cat "$T"/labels/* | grep -c '\^XZ') for $passed units"
[ "$(sed -n 's/.*mac=\([0-9a-f:]*\).*serial=\([^^]*\).*/\1 \2/p' "$T"/labels/* | sort -u | wc -l)" = "$passed" ] || fail "a label was printed twice"
[ "$(sql "SELECT rule, slot, reopened IS NOT NULL FROM line_stop")" = "consecutive|11|1" ] || { sql "SELECT * FROM line_stop"; fail "stops: not slot 11, once, reopened"; }
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" db check --data "$T/data"
tail -n 1 "$T/results"
