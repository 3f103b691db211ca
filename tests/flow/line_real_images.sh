#!/bin/sh
# Both of M5Stack's published sets, flashed in parallel on eight simulated boards; the flash files are compared with the
# images by another way than the one under test.
. tests/flow/lib.sh
fw=../shared/firmware
[ -d "$fw" ] || skip "no real images beside the checkout (../shared/firmware)"
mkdir "$T/p"
cp "$fw"/m5stack-m5cloud-v0.4.0/*.bin "$fw"/m5stack-micropython/*.bin "$T/p/"
cat >"$T/p/cloud.yaml" <<Y
profile: m5cloud
version: "0.4.0"
chip: esp32
serial: {baud: 921600}
flash: {mode: dio, freq: 80m, size: detect}
images: [{offset: 0x1000, file: m5cloud-20180516-v0.4.0.bin}]
boot_check: {expect: "MicroPython", within: 20s}
Y
cat >"$T/p/upy.yaml" <<Y
profile: micropython
version: "1"
chip: esp32
serial: {baud: 921600}
flash: {mode: keep, freq: keep, size: keep}
images:
  - {offset: 0x1000, file: bootloader.bin}
  - {offset: 0x8000, file: partitions_mpy.bin}
  - {offset: 0xf000, file: phy_init_data.bin}
  - {offset: 0x10000, file: MicroPython.bin}
Y
sim_start a --boards 4
sim_start b --boards 4
"$FL" flash --profile "$T/p/cloud.yaml" --station "$T/a.yaml" --data "$T/data" --format json >"$T/ra" 2>"$T/ea" &
one=$!
rc=0
"$FL" flash --profile "$T/p/upy.yaml" --station "$T/b.yaml" --data "$T/data2" --format json >"$T/rb" 2>"$T/eb" || rc=$?
[ $rc = 0 ] || { cat "$T/rb" "$T/eb"; fail "the second set: exit $rc"; }
wait $one || { cat "$T/ra" "$T/ea"; fail "the first set: exit $?"; }
[ "$(jq -r 'select(.type=="totals")|.pass' "$T/ra" "$T/rb" | tr '\n' ' ')" = "4 4 " ] || fail "not eight PASS"
for f in "$T"/b.flash/*.bin; do
    for at in 4096:bootloader.bin 32768:partitions_mpy.bin 61440:phy_init_data.bin 65536:MicroPython.bin; do
        img=$fw/m5stack-micropython/${at#*:}
        cmp -n "$(wc -c <"$img")" -i "${at%%:*}:0" "$f" "$img" || fail "$f differs from ${at#*:}"
    done
done
# the header was patched (dio stays, 80m, 4MB: byte 3 becomes 2f), everything after it is the file's
img=$fw/m5stack-m5cloud-v0.4.0/m5cloud-20180516-v0.4.0.bin
for f in "$T"/a.flash/*.bin; do
    [ "$(od -An -tx1 -j 4096 -N 4 "$f" | tr -d ' ')" = "$(od -An -tx1 -N 2 "$img" | tr -d ' ')022f" ] ||
        fail "the header in $f is not as asked for"
    cmp -n $(($(wc -c <"$img") - 65536)) -i $((4096 + 65536)):65536 "$f" "$img" || fail "$f differs from the image"
done
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" audit --data "$T/data2"
