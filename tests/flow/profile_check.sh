#!/bin/sh
# profile check and plan: the demo profiles as they are; every other profile with images of the right names put beside
# it; wrong ones refused with exit 2 before anything else happens.
. tests/flow/lib.sh
demo_images
d=build/demo

expect_exit 0 "$FL" profile check profiles/demo-esp32.yaml profiles/demo-esp32c3.yaml
[ "$(grep -c ': ok: ' "$T/out")" = 2 ] || { cat "$T/out"; fail "not two ok"; }
[ ! -s "$T/err" ] || { cat "$T/err"; fail "a demo profile has a note"; }

# one file from the bootloader's offset on: bootloader, table, application
merged() { # CHIP BASE OUT
    cp "$d/$1/bootloader.bin" "$3"
    dd if="$d/$1/partitions.bin" of="$3" bs=4096 seek=$(((0x8000 - $2) / 4096)) conv=notrunc 2>/dev/null
    dd if="$d/$1/app.bin" of="$3" bs=4096 seek=$(((0x10000 - $2) / 4096)) conv=notrunc 2>/dev/null
}
p=$T/p
mkdir "$p"
cp profiles/*.yaml "$p/"
rm "$p"/demo-*
for f in m5stack-core m5stack-core2 m5stack-fire m5stickc m5atom-matrix m5stamp-pico m5paper t-call-sim800; do
    merged esp32 0x1000 "$p/$f.bin"
done
merged esp32c3 0 "$p/m5stamp-c3.bin"
# the same for an ESP32-S3: its id in both headers, and the hashes made anew
for f in bootloader app; do
    mkdir -p "$T/esp32s3"
    cp "$d/esp32c3/$f.bin" "$T/esp32s3/$f.bin"
    printf '\011\000' | dd of="$T/esp32s3/$f.bin" bs=1 seek=12 conv=notrunc 2>/dev/null
    n=$(($(wc -c <"$T/esp32s3/$f.bin") - 32))
    h=$(head -c $n "$T/esp32s3/$f.bin" | sha256sum | cut -c1-64)
    printf '%s' "$h" | xxd -r -p | dd of="$T/esp32s3/$f.bin" bs=1 seek=$n conv=notrunc 2>/dev/null
done
cp "$d/esp32c3/partitions.bin" "$T/esp32s3/"
(d=$T; merged esp32s3 0 "$p/m5stack-cores3.bin")
head -c 4096 /dev/zero >"$p/wifi.bin"
without=
if [ -d ../shared/firmware ]; then
    cp ../shared/firmware/*/*.bin "$p/"
else
    rm "$p/m5stack-core-m5cloud.yaml" "$p/m5stack-micropython.yaml"
    without="; without the two of published images"
fi
expect_exit 0 "$FL" profile check "$p"/*.yaml
[ ! -s "$T/err" ] || { cat "$T/err"; fail "a profile has a note or a problem"; }
n=$(ls "$p"/*.yaml | wc -l)
[ "$(grep -c ': ok: ' "$T/out")" = "$n" ] || { cat "$T/out"; fail "not $n ok"; }
grep -q "$(basename "$p/m5stack-core2.yaml"): ok: m5stack-core2 0 for esp32, 2 images" "$T/out" || fail "core2"

# wrong ones: one line each, exit 2, as JSON too
sed 's/chip: esp32$/chip: esp32s3/' "$p/m5stack-core.yaml" >"$p/wrong.yaml"
expect_exit 2 "$FL" profile check "$p/wrong.yaml" "$p/m5stack-fire.yaml"
[ "$(cat "$T/err")" = "$p/wrong.yaml:10:28: 'm5stack-core.bin' is built for esp32, expected an image for esp32s3" ] ||
    { cat "$T/err"; fail "the line about the chip"; }
grep -q 'm5stack-fire.yaml: ok: ' "$T/out" || fail "the right one is not told"
expect_exit 2 "$FL" profile check --format json "$p/wrong.yaml" "$p/m5stack-fire.yaml"
[ "$(jq -r '[.ok, (.problems|length), (.problems[0].line // 0), (.problems[0].column // 0)]|@csv' "$T/out" | tr '\n' ' ')" = \
    "false,1,10,28 true,0,0,0 " ] || { cat "$T/out"; fail "the JSON of a check"; }
# flash refuses it before there is a data folder, and before the port is looked at
expect_exit 2 "$FL" flash --profile "$p/wrong.yaml" --port /dev/there-is-none --data "$T/none"
[ ! -e "$T/none" ] || fail "a data folder was made for a wrong profile"
expect_text "$T/err" '^.*wrong.yaml:10:28: '
expect_exit 2 "$FL" plan "$p/wrong.yaml"
expect_exit 2 "$FL" profile check "$T/no-such.yaml"
expect_text "$T/err" 'no-such.yaml:1:1: the file cannot be read'
expect_exit 2 "$FL" profile check
{ cat profiles/demo-esp32.yaml; echo 'before: {run: ["/no/such/program", "x"]}'; echo "after: {run: [/bin/sh, -c, 'true']}"; } |
    sed "s|\.\./build|$PWD/build|" >"$T/hook.yaml"
expect_exit 0 "$FL" profile check "$T/hook.yaml" # a note: the line has it, perhaps
expect_text "$T/err" "^note: .*hook.yaml:[0-9]+:[0-9]+: '/no/such/program' cannot be run here: No such file"
[ "$(grep -c 'cannot be run' "$T/err")" = 1 ] || { cat "$T/err"; fail "a program that is there"; }

# a plan: the JSON adds up, the MD5 of each region is that of the file's bytes where the header is kept
sed 's/flash: .*/flash: {}/' "$p/m5stack-fire.yaml" >"$p/keep.yaml"
expect_exit 0 "$FL" plan --format json "$p/keep.yaml"
cp "$T/out" "$T/plan.json"
jq -e '(.regions|map(.size)|add) == .totals.size and (.regions|map(.wire_bytes)|add) == .totals.wire_bytes and
       (.header.changed|not) and .flash_size == 0' "$T/plan.json" >/dev/null || fail "the plan does not add up"
jq -r '.regions[]|"\(.offset) \(.size) \(.md5)"' "$T/plan.json" | while read -r offset size md5; do
    is=$( (cat "$p/m5stack-fire.bin"; printf '\377\377\377') | tail -c +$((offset - 0x1000 + 1)) | head -c "$size" | md5sum | cut -c1-32)
    [ "$is" = "$md5" ] || fail "region at $offset: $md5, its bytes have $is"
done
# and with the header changed, the first region differs and no other
expect_exit 0 "$FL" plan --format json --flash-size 16MB "$p/m5stack-fire.yaml"
jq -e '.header == {"offset":4096,"mode":"dio","freq":"80m","size":16777216,"changed":true}' "$T/out" >/dev/null ||
    { jq .header "$T/out"; fail "the header of the plan"; }
[ "$(jq -r '.regions[].md5' "$T/out" | diff - "$(jq -r '.regions[].md5' "$T/plan.json" >"$T/md5"; echo "$T/md5")" | grep -c '^<')" = 1 ] ||
    fail "not one region differs"
expect_exit 0 "$FL" plan profiles/demo-esp32.yaml --flash-size 4MB
expect_text "$T/out" '^  header      at 0x1000: dio, 80m, 4 MB \(set here, hash made anew\), for this size of flash$'
expect_text "$T/out" '^  all +558384 '
expect_exit 2 "$FL" plan profiles/demo-esp32.yaml --flash-size 2MB
expect_exit 2 "$FL" plan profiles/demo-esp32.yaml --flash-size 4M
echo "$n profiles$without"
