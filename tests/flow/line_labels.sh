#!/bin/sh
# Labels: one for each unit that passes, once, after its record. A printer that is off: they wait, and print once when it
# is on. Fields are those of the record; a reprint is recorded; a template with an unknown field is refused.
. tests/flow/lib.sh
demo_images
echo 'boards: [{board: 2, flash: {stuck: [0x10000]}}]' >"$T/sim.scenario"
sim_start sim --boards 3 --scenario "$T/sim.scenario"
hold_ports 1
port=$PORTS
cat >"$T/label.zpl" <<'END'
^XA^FO20,20^FDmac={mac}^FS^FO20,50^FDserial={serial}^FS^FO20,80^FDlot={lot} date={date}^FS^FO20,95^FDproduct={product} {version}^FS^FO20,110{qr:3}^FS^XZ
END
{ echo "labels: {printer: 'tcp://127.0.0.1:$port', template: label.zpl, qr: '{mac};{serial}'}"; cat "$T/sim.yaml"; } >"$T/station.yaml"
echo '{"serial": {"template": "SN-{n:5}"}}' >"$T/rules.json"
expect_exit 0 "$FL" init --data "$T/data" --station bench --no-passphrase
expect_exit 0 "$FL" lot open L-1 --profile profiles/demo-esp32.yaml --rules "$T/rules.json" --data "$T/data"
run() {
    "$FL" run --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --lot L-1 --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
    RUN=$!
    PIDS="$PIDS $RUN"
}
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }

# the printer is off
run
wait_for "three boards" 60 attempts 3 || { cat "$T/progress"; fail "not three"; }
tried() { [ "$(sql "SELECT min(tries) >= 2 FROM outbox WHERE kind = 'label'")" = 1 ]; }
wait_for "two tries in vain" 30 tried || { sql "SELECT id, state, tries, why FROM outbox"; fail "not tried again"; }
[ "$(sql "SELECT count(*), sum(state) FROM outbox WHERE kind = 'label'")" = "2|0" ] || { sql "SELECT * FROM outbox"; fail "one label a unit that passed"; }
expect_text "$T/progress" "^flashline: no label leaves, it is tried again: nothing listens on 127.0.0.1:$port"
[ "$(grep -c 'label' "$T/progress")" = 1 ] || { cat "$T/progress"; fail "a printer that is off is told more than once"; }
expect_exit 0 "$FL" status --data "$T/data"
expect_text "$T/out" "^outbox +label for tcp://127.0.0.1:$port: 2 wait: nothing listens"
expect_exit 0 "$FL" status --data "$T/data" --format json
[ "$(jq -c '.outbox | map([.kind, .waiting, .given_up])' "$T/out")" = '[["label",2,0]]' ] || { cat "$T/out"; fail "the status's outbox"; }
kill -TERM $RUN
wait $RUN || :

# it is on again, and another program of the station prints them: each once
socat -u "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr" "OPEN:$T/printed,creat,append" &
PRINTER=$!
PIDS="$PIDS $PRINTER"
run
labels() { [ "$(grep -c '\^XZ' "$T/printed")" -ge "$1" ]; }
wait_for "both labels" 60 labels 2 || { cat "$T/progress"; sql "SELECT * FROM outbox"; fail "not printed"; }
recorded() { [ "$(sql "SELECT count(*) FROM label WHERE state = 'printed'")" = "$1" ]; }
wait_for "the record of both" 20 recorded 2 || fail "printing is not recorded"
wait_for "three refused" 60 attempts 3 || { cat "$T/progress"; fail "the boards that are still in were not looked at"; }
is=$(sed -n 's/.*mac=\([0-9a-f:]*\).*serial=\([^^]*\).*lot=\([^ ]*\) date=\([0-9-]*\).*/\1|\2|\3|\4/p' "$T/printed" | sort)
want=$(sql "SELECT mac, serial, lot, substr(start, 1, 10) FROM attempt_view WHERE outcome = 'PASS' ORDER BY mac")
[ "$is" = "$want" ] || { echo "$is"; echo "$want"; fail "what is on the labels"; }
[ "$(sed -n 's/.*\(\^GFA,[0-9]*,\).*/\1/p' "$T/printed" | wc -l)" = 2 ] || fail "no QR code"
[ "$(sql "SELECT count(DISTINCT attempt), count(DISTINCT unit), count(DISTINCT serial) FROM label")" = "2|2|2" ] || fail "the rows of labels"

# once more, by hand; never for a unit that had none
mac=$(sql "SELECT mac FROM attempt_view WHERE outcome = 'PASS' LIMIT 1")
expect_exit 0 "$FL" label reprint "$mac" --operator eva --data "$T/data"
wait_for "the reprint" 30 labels 3 || fail "not printed again"
[ "$(grep -c "mac=$mac" "$T/printed")" = 2 ] || fail "another label was printed"
[ "$(sql "SELECT count(*), max(o.name) FROM label l JOIN operator_view o ON o.id = l.operator WHERE state = 'reprinted'")" = "1|eva" ] || fail "a reprint is not recorded"
expect_exit 0 "$FL" trace "$mac" --data "$T/data"
expect_text "$T/out" "label printed for attempt [0-9]+ at tcp://127.0.0.1:$port"
expect_text "$T/out" "label reprinted for attempt [0-9]+ by eva"
expect_exit 2 "$FL" label reprint "$(sql "SELECT mac FROM attempt_view WHERE outcome = 'FAIL' LIMIT 1")" --data "$T/data"
expect_text "$T/err" "no label was ever made"
kill -TERM $RUN
wait $RUN || :
# somebody who wants one more calls them waiting: they are on record as printed, and none is printed again without a record
sqlite3 "$T/data/flashline.db" "UPDATE outbox SET state = 0, next_ms = 0, done_ms = NULL WHERE state = 1 AND leaf IN (SELECT leaf FROM attempt)"
# without a line it is printed from here; a printer that is off gets it later
expect_exit 0 "$FL" label reprint "$mac" --operator ann --data "$T/data" --format json
[ "$(jq -c '[.mac, .printed]' "$T/out")" = "[\"$mac\",true]" ] || { cat "$T/out"; fail "a reprint without a line"; }
[ "$(grep -c "mac=$mac" "$T/printed")" = 3 ] || fail "not printed without a line"
[ "$(grep -c '\^XZ' "$T/printed")" = 4 ] || { cat "$T/printed"; fail "printed again without a record"; }
[ "$(sql "SELECT count(*) FROM outbox WHERE state = 0")" = 0 ] || fail "what is on record as printed still waits"
kill "$PRINTER"
wait "$PRINTER" 2>/dev/null || :
expect_exit 0 "$FL" label reprint "$mac" --operator ann --data "$T/data"
expect_text "$T/out" "waits: its printer does not take it now"
[ "$(sql "SELECT count(*), sum(o.name = 'ann') FROM label l JOIN operator_view o ON o.id = l.operator WHERE state = 'reprinted'")" = "3|2" ] ||
    fail "reprints without a line are not recorded"
expect_exit 2 "$FL" label reprint "$(sql "SELECT mac FROM attempt_view WHERE outcome = 'FAIL' LIMIT 1")" --data "$T/data"
expect_text "$T/err" "no label was ever made"
expect_exit 2 "$FL" label reprint nonsense --data "$T/data"
sqlite3 "$T/data/flashline.db" "UPDATE outbox SET state = 2 WHERE state = 0" # given up: the rest is about other printers

# a folder, a spooler's command; a printer that says no gets it again
mkdir "$T/labels"
sed -i "1s|printer: '[^']*'|printer: 'dir:$T/labels'|; 1s|qr: .*}|qr: '{mac}'}|" "$T/station.yaml"
expect_exit 0 "$FL" lot open L-2 --profile profiles/demo-esp32.yaml --profile profiles/demo-esp32c3.yaml --product Widget \
    --rules "$T/rules.json" --data "$T/data"
expect_exit 1 "$FL" flash --profile profiles/demo-esp32.yaml --profile profiles/demo-esp32c3.yaml --station "$T/station.yaml" \
    --lot L-2 --data "$T/data"
[ "$(cat "$T/labels"/label-leaf-*.zpl | grep -c 'lot=L-2')" = 2 ] || { ls "$T/labels"; fail "labels as files"; }
[ "$(cat "$T/labels"/label-leaf-*.zpl | grep -c 'product=Widget 1\.0\.0^FS')" = 2 ] || { cat "$T/labels"/*; fail "the lot's product"; }
[ "$(grep -o 'product=demo-esp32 1\.0\.0^FS' "$T/printed" | wc -l)" -ge 2 ] || fail "a lot without a product: the profile's name"
sed -i "1s|printer: '[^']*'|printer: 'command:$T/spool 1'|" "$T/station.yaml"
printf '#!/bin/sh\n[ -e "%s/paper" ] && cat >>"%s/spooled"\n' "$T" "$T" >"$T/spool"
chmod +x "$T/spool"
expect_exit 0 "$FL" lot open L-3 --profile profiles/demo-esp32.yaml --rules "$T/rules.json" --data "$T/data"
expect_exit 1 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --lot L-3 --data "$T/data"
[ ! -e "$T/spooled" ] || fail "a spooler without paper"
expect_text "$T/err" "^flashline: no label leaves, it is tried again: .*spool"
[ "$(sql "SELECT count(*) FROM outbox WHERE kind = 'label' AND state = 0")" = 2 ] || fail "labels that the spooler refused do not wait"
: >"$T/paper"
spooled() { [ "$(grep -c 'lot=L-3' "$T/spooled")" = 2 ]; }
expect_exit 0 "$FL" lot open L-4 --profile profiles/demo-esp32.yaml --rules "$T/rules.json" --data "$T/data"
"$FL" run --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --lot L-4 --data "$T/data" >"$T/result" 2>"$T/progress" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the spooler" 30 spooled || { sql "SELECT * FROM outbox WHERE state = 0"; fail "the spooler was not asked again"; }
kill -TERM $RUN
wait $RUN || :
expect_exit 2 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --data "$T/data"
expect_text "$T/err" "uses \{serial\}, and units get no serial numbers"
# lots are scanned: the numbers come from theirs, and a lot that has none is not begun. One that is closed is not what is made
sed "1s|printer: '[^']*'|printer: 'dir:$T/scanned'|; 1i lots: required\nscanner: {lot: 'L-.+'}" "$T/station.yaml" >"$T/lots.yaml"
mkdir "$T/scanned"
expect_exit 0 "$FL" lot open L-5 --profile profiles/demo-esp32.yaml --data "$T/data"
expect_exit 0 "$FL" lot open L-6 --profile profiles/demo-esp32.yaml --rules "$T/rules.json" --data "$T/data"
rm -f "$T/data/door"
"$FL" run --profile profiles/demo-esp32.yaml --station "$T/lots.yaml" --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
RUN=$!
PIDS="$PIDS $RUN"
up() { [ -S "$T/data/door" ] || ! kill -0 "$RUN" 2>/dev/null; }
wait_for "the station" 20 up
kill -0 "$RUN" 2>/dev/null || { cat "$T/progress"; fail "a station whose lots are scanned does not start with labels of serial numbers"; }
expect_exit 2 "$FL" scan L-5 --data "$T/data"
expect_text "$T/err" "lot L-5 gives no serial numbers, and .*label.zpl wants them: nothing is done"
expect_exit 0 "$FL" scan L-6 --data "$T/data"
expect_text "$T/out" "lot L-6 is made from now on"
expect_exit 0 "$FL" scan L-6 --data "$T/data"
expect_text "$T/out" "lot L-6 is what is made already"
wait_for "three boards of a scanned lot" 60 attempts 3 || { cat "$T/progress"; fail "not three of L-6"; }
printed() { [ "$(cat "$T/scanned"/*.zpl 2>/dev/null | grep -c 'serial=SN-[0-9]*^FS.*lot=L-6')" = 2 ]; }
wait_for "their labels" 20 printed || { cat "$T/scanned"/* "$T/progress"; fail "labels of a scanned lot"; }
expect_exit 0 "$FL" lot close L-6 --data "$T/data"
expect_exit 2 "$FL" scan L-6 --data "$T/data"
expect_text "$T/err" "lot L-6 is closed"
kill -TERM $RUN
wait $RUN || :
sed -i 's/{serial}/{serail}/' "$T/label.zpl"
expect_exit 2 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --lot L-2 --data "$T/data"
expect_text "$T/err" "label.zpl:1: '\{serail\}' is no field, expected"
expect_exit 0 "$FL" audit --data "$T/data"
