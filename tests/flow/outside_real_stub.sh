#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Espressif's own stub (its machine code, from the pinned package) under two clients: Espressif's esptool-js, which
# nobody here wrote, so that the device can be trusted as a witness, and then flashline, over a good wire and
# behind a cable that damages bytes.
. tests/flow/lib.sh
command -v node >/dev/null || skip "node is not installed"

"$B/stub-board" 127.0.0.1:0 "$T/flash" >"$T/ready" 2>"$T/broken" &
PIDS="$PIDS $!"
wait_for "the stub board" 10 grep -q listening "$T/ready"
board=$(sed -n 's/^listening on //p' "$T/ready")
node tests/outside/make_image.mjs "$T/image" 70001

# the board writes its flash file whenever a connection has ended
flash_holds() {
    wait_for "the flash file" 10 test -s "$T/flash"
    node tests/outside/expect_flash.mjs "$T/flash" "$T/image@0x10000" || fail "the flash holds something else ($1)"
    rm "$T/flash"
}

for mode in "" --no-compress; do
    node tests/outside/flash.mjs --erase-all --read-back $mode "socket://$board" "$T/image@0x10000" >"$T/js" 2>"$T/js.err" ||
        { cat "$T/js.err" "$T/js" "$T/broken"; fail "esptool-js $mode"; }
    expect_text "$T/js" '"confirmed":true,"read_back":true'
    expect_text "$T/js" '"stub":true'
    flash_holds "esptool-js $mode"
done

cat >"$T/p.yaml" <<Y
profile: real-stub
version: "1"
chip: esp32c3
serial: {baud: 921600, step_down: [460800, 115200], stub: required}
flash: {mode: keep, freq: keep, size: keep, skip_matching: false}
images: [{offset: 0x10000, file: image}]
Y
expect_exit 0 "$FL" flash --profile "$T/p.yaml" --port "socket://$board" --data "$T/data" --format json
[ "$(jq -r 'select(.type == "attempt") | "\(.outcome) \(.loader) \(.rungs | length)"' "$T/out")" = "PASS stub 0" ] ||
    { cat "$T/out"; fail "a good wire: not a PASS through the stub without a rung"; }
flash_holds "flashline, good wire"

# behind the cable: every run ends, PASS only with the right bytes
for seed in 1 2 3; do
    rm -f "$T/cable" # or the port of the one before would be read
    node tests/outside/bad_cable.mjs --seed $seed --mean 8000 "$board" >"$T/cable" 2>"$T/cable.err" &
    cable=$!
    PIDS="$PIDS $cable"
    wait_for "the cable" 10 grep -q listening "$T/cable"
    rc=0
    timeout 120 "$FL" flash --profile "$T/p.yaml" --port "rfc2217://$(sed -n 's/^listening on //p' "$T/cable")" \
        --data "$T/data$seed" --format json >"$T/out" 2>"$T/err" || rc=$?
    kill $cable
    wait $cable || :
    echo "seed $seed: exit $rc, $(jq -c 'select(.type == "attempt") | [.outcome, .fault, .rungs]' "$T/out"), damage $(grep -o '{.*' "$T/cable.err" | tail -n 1)"
    case $rc in
    0) flash_holds "seed $seed" ;;
    1) [ "$(jq -r 'select(.type == "attempt") | .fault' "$T/out")" != null ] || fail "seed $seed: no cause is given"; rm -f "$T/flash" ;;
    *) cat "$T/err"; fail "seed $seed: exit $rc" ;;
    esac
done
[ ! -s "$T/broken" ] || { cat "$T/broken"; fail "the stub did what no stub does"; }
