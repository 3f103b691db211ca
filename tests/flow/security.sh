#!/bin/sh
# What a chip's security state forbids is refused before a byte of its flash changes, and the state is in the record.
. tests/flow/lib.sh
demo_images
# profile NAME CHIP GATE FLASH: the demo's images under another gate
profile() {
    sed -e "s/^profile:.*/profile: $1/" -e "s/^gate:.*/gate: $2/" -e "s/^flash:.*/flash: $3/" \
        -e "s|\.\./build|$PWD/build|" profiles/demo-esp32.yaml >"$T/$1.yaml"
}
any='{secure_boot: any, flash_encryption: any}'
keep='{mode: keep, freq: keep, size: keep, erase: needed}'
profile off '{secure_boot: off, flash_encryption: off}' "$keep"
profile any "$any" "$keep"
profile all "$any" '{mode: keep, freq: keep, size: keep, erase: all}'
profile change "$any" '{mode: dio, freq: 80m, size: detect, erase: needed}'
cat >"$T/boards.yaml" <<Y
boards:
  - {board: 1}
  - {board: 2, security: {secure_boot: true}}
  - {board: 3, security: {flash_encryption: true}}
  - {board: 4, chip: esp32c3, security: {secure_download: true}}
Y
sim_start s --boards 4 --scenario "$T/boards.yaml"
one() { # one BOARD PROFILE OUTCOME FAULT
    rc=0
    before=$(md5sum <"$T/s.flash/board$1.bin" 2>/dev/null || echo none)
    timeout 60 "$FL" flash --profile "$T/$2.yaml" --port "$(port_of s "$1")" --data "$T/data" --format json >"$T/out" 2>"$T/err" || rc=$?
    got=$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out")
    [ "$got" = "$3 $4" ] || { cat "$T/out" "$T/err"; fail "board $1, $2: '$got', expected '$3 $4'"; }
    after=$(md5sum <"$T/s.flash/board$1.bin" 2>/dev/null || echo none)
    [ "$3" = PASS ] || [ "$before" = "$after" ] || fail "board $1, $2: refused, and its flash changed"
}
one 2 off FAIL gate.secure_boot
one 2 all FAIL security.refused
one 2 change FAIL gate.secure_boot
one 3 off FAIL gate.flash_encryption
one 3 any FAIL security.refused
one 3 all FAIL security.refused
one 1 off PASS null
# a chip in secure download mode cannot say what was written
sed -i -e 's/^chip:.*/chip: esp32c3/' -e 's/size: keep/size: 4MB/' -e '/^images:/,$d' "$T/any.yaml"
head -c 4096 /dev/zero >"$T/data.bin"
printf 'images:\n  - {offset: 0x300000, file: data.bin}\n' >>"$T/any.yaml"
one 4 any FAIL security.refused
# unless the profile asks for that; then it is written, every byte as it should be, and does not pass
sed -e 's/^flash: {/flash: {secured: unproven, /' -e 's/^profile:.*/profile: unproven/' "$T/any.yaml" >"$T/unproven.yaml"
rc=0
timeout 60 "$FL" flash --profile "$T/unproven.yaml" --port "$(port_of s 4)" --data "$T/data" --format json >"$T/out" 2>"$T/err" || rc=$?
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault) \(.mac)"' "$T/out")" = "FAIL verify.unproven null" ] ||
    { cat "$T/out" "$T/err"; fail "secure download mode, unproven"; }
[ "$rc" = 1 ] || fail "exit code $rc"
[ "$(sql "SELECT state || ' ' || count(*) FROM attempt_region WHERE leaf = (SELECT max(leaf) FROM attempt) GROUP BY state")" = "written 1" ] ||
    { sql 'SELECT * FROM attempt_region'; fail "the region is not called written"; }
dd if="$T/s.flash/board4.bin" bs=4096 skip=768 count=1 2>/dev/null | cmp - "$T/data.bin" || fail "the flash does not hold what was written"
[ "$(sql "SELECT count(*) FROM attempt_security WHERE secure_boot = 1")" = 3 ] || { sql 'SELECT * FROM attempt_security'; fail "secure boot is not in the records"; }
[ "$(sql "SELECT count(*) FROM attempt_security WHERE flash_encryption = 1")" = 3 ] || fail "flash encryption is not in the records"
[ "$(sql "SELECT DISTINCT secure_download || ' ' || flags FROM attempt_security WHERE flags IS NOT NULL")" = "1 4" ] ||
    { sql 'SELECT * FROM attempt_security'; fail "secure download mode is not in the records"; }
expect_exit 0 "$FL" audit --data "$T/data"
