# Sourced by the shifts, after tests/flow/lib.sh: run_shift SCRIPT SLOTS SECONDS: `flashline run` and the simulated operator of that
# script, until the last board is out. Leaves $T/truth, the records' attempts in $T/attempts (JSON lines), the line's
# own results in $T/results, the last that its board showed in $T/board; the image is $T/image at 0x10000. $STATION_HEAD goes before the station file, $RUN_OPTIONS to `run`.
# shift_profile BYTES [SERIAL [ATTEMPTS]]: the profile $T/shift.p.yaml and its image
shift_profile() {
    node tests/outside/make_image.mjs "$T/image" "$1" 5
    cat >"$T/shift.p.yaml" <<Y
profile: shift
version: "1"
chip: esp32
gate: {flash_size: 4MB, secure_boot: off, flash_encryption: off}
serial: ${2:-{baud: 921600, step_down: [460800, 115200]\}}
flash: {mode: keep, freq: keep, size: keep}
images: [{offset: 0x10000, file: image}]
retry: {attempts: ${3:-2}}
detect: {every: 100ms, removed: 5s, settle: 0ms}
Y
}
run_shift() {
    hold_ports 1
    web=127.0.0.1:$PORTS
    "$FL" sim --boards "$2" --listen 127.0.0.1:0 --station-file "$T/shift.st.yaml" --operator "$1" --watch "http://$web" \
        --truth "$T/truth" >"$T/sim.out" 2>"$T/sim.err" &
    SIM=$!
    PIDS="$PIDS $SIM"
    wait_for "the simulator's ready line" 20 test -s "$T/sim.out" || { cat "$T/sim.err"; fail "the simulator did not start"; }
    [ -z "${STATION_HEAD:-}" ] || { echo "$STATION_HEAD"; cat "$T/shift.st.yaml"; } >"$T/shift.head.yaml"
    [ -z "${STATION_HEAD:-}" ] || mv "$T/shift.head.yaml" "$T/shift.st.yaml"
    # shellcheck disable=SC2086
    "$FL" run ${RUN_OPTIONS:-} --profile "$T/shift.p.yaml" --station "$T/shift.st.yaml" --data "$T/data" --web "$web" --format json \
        >"$T/results" 2>"$T/run.err" &
    RUN=$!
    PIDS="$PIDS $RUN"
    gone() { ! kill -0 $SIM 2>/dev/null; }
    wait_for "the end of the shift" "$3" gone || { tail -n 3 "$T/truth" "$T/run.err"; fail "the shift did not end"; }
    wait $SIM || { cat "$T/sim.err"; fail "the simulator failed"; }
    curl -s "http://$web/api/board" >"$T/board"
    kill -TERM $RUN
    rc=0
    wait $RUN || rc=$?
    [ $rc -le 1 ] || { tail -n 5 "$T/run.err"; fail "run: exit $rc"; }
    [ "$(tail -n 1 "$T/truth" | jq -r .type)" = end ] || fail "the truth has no end"
    sqlite3 -json "$T/data/flashline.db" "SELECT leaf, slot, mac, outcome, fault FROM attempt_view" | jq -c '.[]' >"$T/attempts"
}
# shift_lot RULES: folder, labels and the lot L-1 with these rules
shift_lot() {
    printf '^XA^FO20,20^FDmac={mac}^FS^FO20,50^FDserial={serial}^FS^XZ\n' >"$T/label.zpl"
    mkdir "$T/labels"
    STATION_HEAD="labels: {printer: 'dir:$T/labels', template: label.zpl}"
    expect_exit 0 "$FL" init --data "$T/data" --station shift --no-passphrase
    expect_exit 0 "$FL" lot open L-1 --profile "$T/shift.p.yaml" --rules "$1" --data "$T/data" --operator eva
    RUN_OPTIONS="--lot L-1 --operator eva"
}
# truth_is_recorded: the records are what the simulator knows; no unit counts twice, every number and every label is there once, and
# the log holds
truth_is_recorded() {
    node tests/shift/compare.mjs "$T/truth" "$T/attempts" 0x400000 "$T/image@0x10000" || fail "records and truth differ"
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
}
