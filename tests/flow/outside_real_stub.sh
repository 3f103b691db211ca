#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Espressif's own stub (its machine code, from the pinned package) under two clients: Espressif's esptool-js, which
# nobody here wrote, so that the device can be trusted as a witness, and then flashline, over a good wire and
# behind a cable that damages bytes.
. tests/flow/lib.sh
command -v node >/dev/null || skip "node is not installed"

# fresh_board NAME: for every run a board of its own whose flash is blank, and an image of its own, so that nothing
# an earlier run wrote can be taken for this one's work. $board is its address, $T/flash its flash when the client
# has gone, $T/image the image.
runs=0
fresh_board() {
    runs=$((runs + 1)) run=$1
    [ -z "${board_pid:-}" ] || { kill "$board_pid"; wait "$board_pid" || :; }
    rm -f "$T/flash" "$T/ready"
    "$B/stub-board" 127.0.0.1:0 "$T/flash" >"$T/ready" 2>>"$T/broken" &
    board_pid=$!
    PIDS="$PIDS $board_pid"
    wait_for "the stub board" 10 grep -q listening "$T/ready"
    board=$(sed -n 's/^listening on //p' "$T/ready")
    node tests/outside/make_image.mjs "$T/image" 40001 $((runs * 7919))
}

# the board writes its flash file whenever a connection has ended: first after every reset of a client that has lines,
# so the last word counts
holds_image() { node tests/outside/expect_flash.mjs "$T/flash" "$T/image@0x10000" >"$T/difference" 2>&1; }
flash_holds() { wait_for "the image in flash" 10 holds_image || { cat "$T/difference"; fail "the flash holds something else ($run)"; }; }

for mode in "" --no-compress; do
    fresh_board "esptool-js $mode"
    node tests/outside/flash.mjs --read-back $mode "socket://$board" "$T/image@0x10000" >"$T/js" 2>"$T/js.err" ||
        { cat "$T/js.err" "$T/js" "$T/broken"; fail "$run"; }
    expect_text "$T/js" '"confirmed":true,"read_back":true'
    expect_text "$T/js" '"stub":true'
    flash_holds
done

# on a flash that is not blank: an erase of everything, then the same image again
before=$(md5sum <"$T/flash")
node tests/outside/make_image.mjs "$T/image" 30001 4711
node tests/outside/flash.mjs --erase-all --read-back "socket://$board" "$T/image@0x10000" >"$T/js" 2>"$T/js.err" ||
    { cat "$T/js.err" "$T/js" "$T/broken"; fail "esptool-js --erase-all"; }
run="esptool-js --erase-all"
flash_holds
[ "$(md5sum <"$T/flash")" != "$before" ] || fail "the flash is as it was"

cat >"$T/p.yaml" <<Y
profile: real-stub
version: "1"
chip: esp32c3
serial: {baud: 921600, step_down: [460800, 115200], stub: required}
flash: {mode: keep, freq: keep, size: keep, skip_matching: false}
images: [{offset: 0x10000, file: image}]
Y
# where the machine gives the stub's processor, which is software, no time for seconds, a rung is rightly taken: another time
for try in 1 2 3; do
    fresh_board "flashline, good wire"
    expect_exit 0 "$FL" flash --profile "$T/p.yaml" --port "socket://$board" --data "$T/data" --format json
    came=$(jq -r 'select(.type == "attempt") | "\(.outcome) \(.loader) \(.rungs | length)"' "$T/out")
    [ "$came" != "PASS stub 0" ] || break
done
[ "$came" = "PASS stub 0" ] || { cat "$T/out"; fail "a good wire: not a PASS through the stub without a rung"; }
flash_holds

# through_cable NAME CABLE-OPTIONS...: flashline behind that cable; it ends, PASS only with the right bytes
through_cable() {
    fresh_board "$1"
    shift
    rm -f "$T/cable" # or the port of the one before would be read
    node tests/outside/bad_cable.mjs "$@" "$board" >"$T/cable" 2>"$T/cable.err" &
    cable=$!
    PIDS="$PIDS $cable"
    wait_for "the cable" 10 grep -q listening "$T/cable"
    rc=0
    timeout 120 "$FL" flash --profile "$T/p.yaml" --port "rfc2217://$(sed -n 's/^listening on //p' "$T/cable")" \
        --data "$T/data$runs" --format json >"$T/out" 2>"$T/err" || rc=$?
    kill $cable
    wait $cable || :
    echo "$run: exit $rc, $(jq -c 'select(.type == "attempt") | [.outcome, .fault, .rungs]' "$T/out"), damage $(grep -o '{.*' "$T/cable.err" | tail -n 1)"
    case $rc in
    0) flash_holds ;;
    1) [ "$(jq -r 'select(.type == "attempt") | .fault' "$T/out" | tail -n 1)" != null ] || fail "$run: no cause is given" ;;
    *) cat "$T/err"; fail "$run: exit $rc" ;;
    esac
}

[ ! -s "$T/broken" ] || { cat "$T/broken"; fail "the stub did what no stub does"; }
for seed in 1 2 3; do through_cable "a bad cable, seed $seed" --seed $seed --mean 5000; done
# such a cable can change the stub itself on its way into RAM (its blocks have one byte of checksum): what it did then is
# its own; what counts is what lies in flash
: >"$T/broken"

# the field report's bridge: bytes get through where pauses are made, so the only right end is PASS
for burst in 3072 1024; do
    through_cable "a bridge that loses a byte in $burst" --burst $burst
    [ $rc = 0 ] || { cat "$T/err"; fail "$run: not flashed"; }
    [ "$(grep -o '"burst":[0-9]*' "$T/cable.err" | tail -n 1 | tr -dc 0-9)" -gt 0 ] || fail "$run: it lost nothing"
    [ "$(jq -s '[.[] | select(.type == "attempt") | .rungs | length] | add' "$T/out")" -gt 0 ] || fail "$run: lost bytes, and no rung is told"
done
[ ! -s "$T/broken" ] || { cat "$T/broken"; fail "the stub did what no stub does"; }
