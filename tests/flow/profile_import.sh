#!/bin/sh
# flashline profile import: from a command line, a build folder and a merged file; what comes out passes profile check as
# it is, names the files from wherever it lies, and writes the same regions as a profile written by hand.
. tests/flow/lib.sh
demo_images
d=build/demo/esp32
mkdir -p "$T/build/bootloader" "$T/p/deep"
cp "$d/bootloader.bin" "$T/build/bootloader/"
cp "$d/partitions.bin" "$d/app.bin" "$T/build/"
b=$T/build

expect_exit 0 "$FL" profile import -o "$T/p/deep/line.yaml" -- esptool.py --chip esp32 --port /dev/ttyUSB0 --baud 921600 \
    write_flash -z --flash_mode dio --flash_freq 80m --flash_size detect 0x1000 "$b/bootloader/bootloader.bin" \
    0x8000 "$b/partitions.bin" 0x10000 "$b/app.bin"
expect_text "$T/p/deep/line.yaml" '^    file: "../../build/bootloader/bootloader.bin"$'
expect_text "$T/p/deep/line.yaml" '^profile: flashline-demo$'
expect_text "$T/p/deep/line.yaml" "^    sha256: $(sha256sum "$b/app.bin" | cut -c1-64)\$"
expect_exit 0 "$FL" profile check --format json "$T/p/deep/line.yaml"
jq -e '.ok and (.notes|length) == 0' "$T/out" >/dev/null || { cat "$T/out"; fail "the check of line.yaml"; }

# never over a file that is there, unless told to
expect_exit 2 "$FL" profile import -o "$T/p/deep/line.yaml" --merged "$b/app.bin" --offset 0x10000
expect_text "$T/err" 'line.yaml is there already'
cp "$T/p/deep/line.yaml" "$T/before.yaml"
expect_exit 0 "$FL" profile import -o "$T/p/deep/line.yaml" --force --name again --version 2 \
    "esptool write-flash --flash-mode dio 0x1000 $b/bootloader/bootloader.bin"
expect_text "$T/p/deep/line.yaml" '^profile: again$'
expect_text "$T/p/deep/line.yaml" '^version: "2"$'
mv "$T/before.yaml" "$T/p/deep/line.yaml"

# a build folder
cat >"$b/flasher_args.json" <<'J'
{"write_flash_args": ["--flash_mode", "dio", "--flash_size", "detect", "--flash_freq", "80m"],
 "flash_files": {"0x1000": "bootloader/bootloader.bin", "0x10000": "app.bin", "0x8000": "partitions.bin"},
 "app": {"offset": "0x10000", "file": "app.bin", "encrypted": "false"},
 "extra_esptool_args": {"after": "hard_reset", "before": "default_reset", "stub": true, "chip": "esp32"}}
J
expect_exit 0 "$FL" profile import "$b" -o "$T/p/build.yaml"
expect_text "$T/p/build.yaml" '^    file: "../build/app.bin"$'
(cd "$b" && expect_exit 0 "$FL" profile import flasher_args.json && cp "$T/out" "$b/here.yaml")
expect_exit 0 "$FL" profile check "$b/here.yaml" "$T/p/build.yaml"

# the command that a build prints: its words lie in a file, whose paths count from where one stands
printf '%s\n' '--flash_mode dio --flash_freq 80m --flash_size detect' '0x1000 bootloader/bootloader.bin' '0x10000 app.bin' \
    '0x8000 partitions.bin' >"$b/flash_args"
(cd "$b" && expect_exit 0 "$FL" profile import -o "$T/p/words.yaml" -- python -m esptool --chip esp32 write_flash @flash_args)
expect_text "$T/p/words.yaml" '^    file: "../build/partitions.bin"$'

# a merged file: the same bytes at the same places
cp "$b/bootloader/bootloader.bin" "$T/m.bin"
dd if="$b/partitions.bin" of="$T/m.bin" bs=4096 seek=7 conv=notrunc 2>/dev/null
dd if="$b/app.bin" of="$T/m.bin" bs=4096 seek=15 conv=notrunc 2>/dev/null
expect_exit 0 "$FL" profile import --merged "$T/m.bin" -o "$T/m.yaml"
expect_text "$T/m.yaml" '^  - offset: 0x1000$'
expect_exit 0 "$FL" profile check "$T/m.yaml"
expect_exit 2 "$FL" profile import --merged "$T/m.bin" --offset 0x0
expect_text "$T/err" 'expected the bootloader of an esp32 at 0x1000'

# plans: a command line gives what the same settings by hand give, a build folder gives the same regions
"$FL" plan --format json --flash-size 4MB "$T/p/deep/line.yaml" | jq -c ".regions|map({offset,size,md5})" >"$T/one"
"$FL" plan --format json --flash-size 4MB "$T/p/build.yaml" | jq -c ".regions|map({offset,size,md5})" >"$T/two"
cmp "$T/one" "$T/two" || fail "the regions differ"

# what cannot be: said, and nothing written
for words in "--encrypt 0x1000 $b/bootloader/bootloader.bin" "0x1000 $b/none.bin" "0x0 $b/bootloader/bootloader.bin" \
    "0x1000 $b/bootloader/bootloader.bin 0x2000 $b/app.bin"; do
    # shellcheck disable=SC2086
    expect_exit 2 "$FL" profile import -o "$T/none.yaml" -- esptool.py write_flash $words
    [ -s "$T/err" ] && [ ! -e "$T/none.yaml" ] || fail "$words"
done
expect_exit 2 "$FL" profile import
expect_exit 2 "$FL" profile import --offset 0x1000 "$b"

[ -d ../shared/firmware ] || { echo "without the published images"; exit 0; }
fw=$PWD/../shared/firmware
expect_exit 0 "$FL" profile import --merged "$fw"/*/m5cloud*.bin -o "$T/cloud.yaml"
expect_text "$T/cloud.yaml" '^    sha256: d85f7321d557d861ee9a03660b852daf7443c5235cdf7c0b17ce9fd756a6f51c$'
expect_exit 0 "$FL" profile check "$T/cloud.yaml"
cp "$fw"/m5stack-micropython/*.bin profiles/m5stack-micropython.yaml "$T/p/"
(cd "$T/p" && expect_exit 0 "$FL" profile import -o mp.yaml -- esptool.py --chip esp32 -b 921600 write_flash \
    --flash_mode dio --flash_freq 80m --flash_size detect 0x1000 bootloader.bin 0x8000 partitions_mpy.bin \
    0xf000 phy_init_data.bin 0x10000 MicroPython.bin)
"$FL" plan --format json --flash-size 4MB "$T/p/mp.yaml" | jq -c ".regions|map({offset,size,md5})" >"$T/one"
"$FL" plan --format json --flash-size 4MB "$T/p/m5stack-micropython.yaml" | jq -c ".regions|map({offset,size,md5})" >"$T/two"
cmp "$T/one" "$T/two" || fail "the regions of MicroPython differ"
