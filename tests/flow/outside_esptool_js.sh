#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Espressif's esptool-js flashes simulated boards over RFC 2217: an ESP32 and an ESP32-C3 take it and every MD5 is
# confirmed by the chip and by the bytes in the simulator's flash file; behind the bridge that loses bytes it fails in
# its own words, and flashline flashes that very board and says which rung it took.
. tests/flow/lib.sh
command -v node >/dev/null || skip "node is not installed"
demo_images

cat >"$T/boards.yaml" <<Y
boards:
  - {board: 1, chip: esp32}
  - {board: 2, chip: esp32c3}
  - {board: 3, chip: esp32, bridge: ch9102}
Y
sim_start s --boards 3 --scenario "$T/boards.yaml"

# flash BOARD WANTED_EXIT ARGS...: esptool-js, its JSON in $T/js
flash() {
    n=$1 want=$2
    shift 2
    rc=0
    node tests/outside/flash.mjs "$@" >"$T/js" 2>"$T/js.err" || rc=$?
    [ $rc = "$want" ] || { cat "$T/js.err" "$T/js"; fail "board $n: esptool-js ended with $rc, expected $want"; }
}
confirmed() { # N: of N images the chip gave the file's MD5
    [ "$(jq '[.images[] | select(.confirmed and .md5 == .device_md5)] | length' "$T/js")" = "$1" ] ||
        { cat "$T/js"; fail "not every MD5 is confirmed"; }
}

node tests/outside/make_image.mjs "$T/odd" 150001
for n in 1 2; do
    case $n in 1) chip=esp32 name=ESP32-D0 boot=0x1000 ;; 2) chip=esp32c3 name=ESP32-C3 boot=0x0 ;; esac
    d=build/demo/$chip
    set -- "$d/bootloader.bin@$boot" "$d/partitions.bin@0x8000" "$d/app.bin@0x10000" "$T/odd@0x200000"
    flash $n 0 "$(port_of s $n)" "$@"
    confirmed 4
    expect_text "$T/js" "\"chip\":\"$name"
    expect_text "$T/js" '"baud":921600'
    node tests/outside/expect_flash.mjs "$T/s.flash/board$n.bin" "$@" || fail "board $n holds something else"
    # once more as a browser has to: uncompressed, the port closed and opened for the new speed, every byte read back
    flash $n 0 --reopen --erase-all --no-compress --read-back "$(port_of s $n)" "$T/odd@0x10000"
    confirmed 1
    expect_text "$T/js" '"read_back":true'
    node tests/outside/expect_flash.mjs "$T/s.flash/board$n.bin" "$T/odd@0x10000" || fail "board $n holds something else"
done

# M5Stack's own images, where they are at hand
fw=../shared/firmware/m5stack-micropython
if [ -d $fw ]; then
    set -- $fw/bootloader.bin@0x1000 $fw/partitions_mpy.bin@0x8000 $fw/phy_init_data.bin@0xf000 $fw/MicroPython.bin@0x10000
    flash 1 0 --erase-all "$(port_of s 1)" "$@"
    confirmed 4
    node tests/outside/expect_flash.mjs "$T/s.flash/board1.bin" "$@" || fail "board 1 holds something else"
fi

# the field report: inside a long burst the bridge loses a byte
flash 3 1 "$(port_of s 3)" "$T/odd@0x10000"
expect_text "$T/js" '"error":"Failed to write to target RAM failed with status 1,7"'
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --port "$(port_of s 3)" --data "$T/data" --format json
[ "$(jq -r 'select(.type == "attempt") | .outcome' "$T/out")" = PASS ] || { cat "$T/out"; fail "not a PASS"; }
[ "$(jq 'select(.type == "attempt") | .rungs | length' "$T/out")" -gt 0 ] || { cat "$T/out"; fail "no rung is recorded"; }
echo "rungs behind the CH9102: $(jq -c 'select(.type == "attempt") | .rungs' "$T/out")"
