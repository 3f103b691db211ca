#!/bin/sh
# flashline image: generated images alone and merged, damaged ones, ESP8266 ones; published ones where they are. What it
# says is held against od and sha256sum.
. tests/flow/lib.sh
demo_images
d=build/demo/esp32
expect_exit 0 "$FL" image "$d/bootloader.bin" "$d/partitions.bin" "$d/app.bin"
expect_text "$T/out" '^  application +flashline-demo '
expect_text "$T/out" '^  md5 row     right$'
cp "$d/bootloader.bin" "$T/merged.bin"
dd if="$d/partitions.bin" of="$T/merged.bin" bs=4096 seek=7 conv=notrunc 2>/dev/null
dd if="$d/app.bin" of="$T/merged.bin" bs=4096 seek=15 conv=notrunc 2>/dev/null
expect_exit 0 "$FL" image --format json "$T/merged.bin"
jq -e --argjson size "$(wc -c <"$d/app.bin")" '.ok and .offset == 4096 and (.parts|map(.kind)) == ["image","partition_table","image"]
    and (.parts|map(.offset)) == [4096, 32768, 65536] and .parts[2].size == $size and .parts[2].app.project == "flashline-demo"
    and .parts[2].partition == "factory" and .parts[1].md5 == "right"' "$T/out" >/dev/null || { cat "$T/out"; fail "the JSON"; }
entry=$(od -An -tu4 -j4 -N4 "$d/app.bin" | tr -d ' ')
[ "$(jq .parts[2].entry "$T/out")" = "$entry" ] || fail "the entry point is $entry"

# one byte of the application's data changed, then the file cut: exit 1, with the place
printf '\125' | dd of="$T/merged.bin" bs=1 seek=$((0xf000 + 4000)) conv=notrunc 2>/dev/null
expect_exit 1 "$FL" image "$T/merged.bin"
expect_text "$T/out" '^problem: at 0xf000: the image is not sound: damaged: its checksum is '
head -c 70000 "$T/merged.bin" >"$T/cut.bin"
expect_exit 1 "$FL" image "$T/cut.bin"
expect_text "$T/out" '^problem: at 0xf000: the image is not sound: cut short: '
expect_exit 1 "$FL" image "$d/app.bin" "$T/cut.bin"
expect_exit 2 "$FL" image
expect_exit 2 "$FL" image "$T/none.bin"
expect_exit 2 "$FL" image --format xml "$d/app.bin"

if [ ! -d ../shared/firmware ]; then
    echo "without the published images"
    exit 0
fi
expect_exit 0 "$FL" image --format json ../shared/firmware/*/m5cloud*.bin ../shared/firmware/*/MicroPython.bin
# as an outside image tool says of them
jq -se '.[0].offset == 4096 and .[0].parts[0].entry == 1074234668' "$T/out" >/dev/null ||
    fail "m5cloud's bootloader"
jq -se '.[0].parts | .[0].checksum == 65 and .[0].hash_ok and .[2].checksum == 57 and .[2].hash_ok and
    (.[2].segments|map(.size)) == [418256,19896,1024,19536,1159108,64276,1436,2444] and
    (.[1].rows|map(.label)) == ["nvs","phy_init","MicroPython","internalfs"]' "$T/out" >/dev/null || { cat "$T/out"; fail "m5cloud"; }
