#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The engine without the station: the example of station/esp/README.md, as it stands there, compiles against
# libesp.a alone and flashes a board that runs Espressif's own stub.
. tests/flow/lib.sh

sed -n '/^```c$/,/^```$/p' station/esp/README.md | sed '1d;$d' >"$T/example.c"
lines=$(wc -l <"$T/example.c")
[ "$lines" -gt 20 ] && [ "$lines" -le 60 ] || fail "the example has $lines lines, 60 are allowed"
case $B in *san*) flags=-fsanitize=address,undefined ;; *tsan*) flags=-fsanitize=thread ;; *) flags= ;; esac
${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $flags -Istation "$T/example.c" "$B/libesp.a" \
    -lserialport -lcrypto -lz -pthread -o "$T/example"

"$B/stub-board" 127.0.0.1:0 "$T/flash" >"$T/ready" 2>"$T/broken" &
PIDS="$PIDS $!"
wait_for "the stub's board" 10 grep -q listening "$T/ready"
# where the machine gives the stub's processor, which is software, no time for seconds, a rung is rightly taken: another time
for try in 1 2 3; do
    tail -c +$try "$B/libesp.a" | head -c 100001 >"$T/image"
    "$T/example" "socket://$(sed -n 's/^listening on //p' "$T/ready")" 0x10000 "$T/image" >"$T/out" 2>"$T/err" ||
        { cat "$T/err" "$T/broken"; fail "the example did not flash the board"; }
    expect_text "$T/out" '^esp32c3 at [0-9]+ baud: 100004 bytes verified$'
    [ -s "$T/err" ] || break
done
[ ! -s "$T/err" ] || { cat "$T/err"; fail "a rung was taken on a clean line"; }
holds() { tail -c +65537 "$T/flash" | head -c 100001 | cmp - "$T/image"; } # written when the connection has ended
wait_for "the image in flash" 10 holds || fail "the flash holds something else"
echo "flashed by $lines lines"
