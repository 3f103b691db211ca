#!/bin/sh
# The verb sim from outside: its one line, its files, its refusals, and boards that survive a kill -9 of the simulator.
. tests/flow/lib.sh

# ---- what it says, and how it ends
sim_start two --boards 2 --chip esp32c3 --seed 9
[ "$(wc -l <"$T/two.out")" = 1 ] || { cat "$T/two.out"; fail "not one line"; }
expect_text "$T/two.out" '^ready: 2 boards on 127\.0\.0\.1:[0-9]+\.\.[0-9]+$'
expect_text "$T/two.err" '^seed 9$'
first=$(sed 's/.*:\([0-9]*\)\.\..*/\1/' "$T/two.out")
[ "$(port_of two 1) $(port_of two 2)" = "rfc2217://127.0.0.1:$first rfc2217://127.0.0.1:$((first + 1))" ] ||
    { cat "$T/two.yaml"; fail "the station file names other ports"; }
[ "$(ls "$T/two.flash" | tr '\n' ' ')" = "board1.bin board1.efuse board2.bin board2.efuse lock " ] ||
    { ls "$T/two.flash"; fail "the state folder holds something else"; }
expect_text "$T/two.flash/board2.efuse" '^esp32c3 [0-9a-f]{12} [0-9]+$'
# the folder and the ports are taken
expect_exit 3 "$FL" sim --state "$T/two.flash" --listen 127.0.0.1:0
expect_exit 3 "$FL" sim --listen "127.0.0.1:$first"
expect_text "$T/err" "cannot listen on 127\.0\.0\.1:$first"
kill -TERM "$SIM"
rc=0
wait "$SIM" || rc=$?
[ $rc = 0 ] || fail "SIGTERM ended it with $rc"

# ---- pseudo-terminals lie beside the station file and go with the simulator
mkdir "$T/tty"
"$FL" sim --boards 2 --pty --station-file "$T/tty/s.yaml" >"$T/tty.out" 2>"$T/tty.err" &
SIM=$!
PIDS="$PIDS $SIM"
wait_for "the ready line" 20 test -s "$T/tty.out" || { cat "$T/tty.err"; fail "no terminals"; }
for f in board1 board2; do
    [ -c "$T/tty/$f" ] && [ -S "$T/tty/$f.lines" ] || { ls -l "$T/tty"; fail "$f is not there"; }
done
grep -q "port: \"pty:$T/tty/board2\"" "$T/tty/s.yaml" || { cat "$T/tty/s.yaml"; fail "the station file names other terminals"; }
kill -INT "$SIM"
wait "$SIM" || fail "SIGINT ended it with $?"
[ "$(ls "$T/tty")" = s.yaml ] || { ls "$T/tty"; fail "something was left behind"; }

# ---- refusals: exit 2 and what was expected
refused() { expect_exit 2 "$FL" sim "$@"; }
refused --boards 0
refused --chip esp99
expect_text "$T/err" "there is no chip 'esp99'"
refused --pace slow
refused --pty
refused --listen here
refused extra
printf 'boards:\n  - {board: 1, brdige: ch9102}\n' >"$T/bad.yaml"
refused --scenario "$T/bad.yaml"
expect_text "$T/err" "bad\.yaml:2:16: there is no key 'brdige' here; known are board, chip, mac"
refused --scenario "$T/none.yaml"

# ---- a board is what it was after a kill -9: the same address, the same flash
command -v node >/dev/null || skip "node is not installed: the kill -9 part needs esptool-js"
head -c 40000 "$FL" >"$T/image.bin"
sim_start kept --seed 5
client() { node tests/outside/flash.mjs "$@" 2>"$T/client.err" || { cat "$T/client.err"; fail "esptool-js"; }; }
client "$(port_of kept 1)" "$T/image.bin@0x20000" >"$T/one.json"
kill -9 "$SIM"
wait "$SIM" || :
cmp -n 40000 -i 0:131072 "$T/image.bin" "$T/kept.flash/board1.bin" || fail "the file does not hold what was flashed"
rm -f "$T/kept.out"
sim_start kept --seed 6
client --identify "$(port_of kept 1)" >"$T/two.json"
[ "$(jq -r .mac "$T/one.json")" = "$(jq -r .mac "$T/two.json")" ] || { cat "$T/one.json" "$T/two.json"; fail "another address"; }
