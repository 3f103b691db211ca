#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Espressif's esptool-js against every simulated chip: told apart, stub loaded, written, confirmed, and the bytes
# in the simulator's flash file are the image's.
. tests/flow/lib.sh
command -v node >/dev/null || skip "node is not installed"

# chip as the scenario names it, how esptool-js calls it
chips='esp8266:ESP8266 esp32:ESP32-D0 esp32s2:ESP32-S2 esp32s3:ESP32-S3 esp32c2:ESP32-C2 esp32c3:ESP32-C3
    esp32c5:ESP32-C5 esp32c6:ESP32-C6 esp32c61:ESP32-C61 esp32h2:ESP32-H2 esp32p4:ESP32-P4'
echo boards: >"$T/boards.yaml"
n=0
for c in $chips; do
    n=$((n + 1))
    echo "  - {board: $n, chip: ${c%%:*}}" >>"$T/boards.yaml"
done
sim_start s --boards $n --scenario "$T/boards.yaml"
node tests/outside/make_image.mjs "$T/image" 50001
n=0
for c in $chips; do
    n=$((n + 1))
    node tests/outside/flash.mjs "$(port_of s $n)" "$T/image@0x10000" >"$T/js" 2>"$T/js.err" ||
        { cat "$T/js.err" "$T/js"; fail "${c%%:*}: esptool-js failed"; }
    expect_text "$T/js" "\"chip\":\"${c##*:}"
    expect_text "$T/js" '"stub":true'
    expect_text "$T/js" '"confirmed":true'
    node tests/outside/expect_flash.mjs "$T/s.flash/board$n.bin" "$T/image@0x10000" || fail "${c%%:*} holds something else"
done
