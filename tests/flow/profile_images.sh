#!/bin/sh
# The demo images, decoded here without the program: checksum and SHA-256 by od, awk and sha256sum; the partition table
# by the digest that the field knows for it. And the same bytes every time.
. tests/flow/lib.sh
d=$T/demo
scripts/make-demo-images "$d" >"$T/one"
sed 's|  .*/demo/|  |' "$T/one" >"$T/one.sums"
scripts/make-demo-images "$T/again/demo" | sed 's|  .*/demo/|  |' >"$T/two.sums"
cmp "$T/one.sums" "$T/two.sums" || fail "another run gave other bytes"
(cd "$d" && sha256sum -c "$T/one.sums" >/dev/null) || fail "the sums printed are not those of the files"

for chip in esp32 esp32c3; do
    t=$(sha256sum "$d/$chip/partitions.bin" | cut -c1-64)
    [ "$t" = 7f00b6c042a89b15b0cac534f82ed988caf29278ff5700b0c511eb1b5bb7c820 ] || fail "$chip: partition table $t"
    for f in bootloader app; do
        image=$d/$chip/$f.bin
        size=$(wc -c <"$image")
        [ $((size % 16)) = 0 ] || fail "$image: $size bytes"
        hash=$(tail -c 32 "$image" | od -An -v -tx1 | tr -d ' \n')
        right=$(head -c $((size - 32)) "$image" | sha256sum | cut -c1-64)
        [ "$hash" = "$right" ] || fail "$image: hash $hash, its bytes have $right"
        # walk the segments, XOR the data bytes two halves at a time (awk has no XOR of its own)
        od -An -v -tu1 -w1 "$image" | awk -v want="$size" '
            function xor(a, b,    r, p) {
                for (p = 128; p >= 1; p /= 2) { r += (int(a / p) % 2 != int(b / p) % 2) * p }
                return r
            }
            { b[NR - 1] = $1 + 0 }
            END {
                if (b[0] != 233 || b[23] != 1) { print "header"; exit 1 }
                at = 24; sum = 239
                for (s = 0; s < b[1]; s++) {
                    n = b[at + 4] + 256 * b[at + 5] + 65536 * b[at + 6] + 16777216 * b[at + 7]
                    at += 8
                    for (i = 0; i < n; i++) count[b[at + i]]++
                    at += n
                }
                for (v in count) if (count[v] % 2) sum = xor(sum, v)
                at += 15 - at % 16
                if (b[at] != sum) { print "checksum " b[at] ", bytes give " sum; exit 1 }
                if (at + 33 != want) { print "ends at " at + 33; exit 1 }
            }' || fail "$image"
    done
    id=$(od -An -tu2 -j12 -N2 "$d/$chip/app.bin" | tr -d ' ')
    case $chip in esp32) [ "$id" = 0 ] ;; *) [ "$id" = 5 ] ;; esac || fail "$chip: chip id $id"
    [ "$(od -An -tx4 -j32 -N4 "$d/$chip/app.bin" | tr -d ' ')" = abcd5432 ] || fail "$chip: no descriptor"
    [ "$(dd if="$d/$chip/app.bin" bs=1 skip=80 count=14 2>/dev/null)" = flashline-demo ] || fail "$chip: name"
done
