#!/bin/sh
# Debian's ser2net, a server that is not ours, between flashline and a simulated board: it holds the board's
# pseudo-terminal as /dev/ttyUSB91 (the preload library lends it the modem lines) and serves it by RFC 2217.
. tests/flow/lib.sh
. tests/flow/lib_tty.sh
PATH=$PATH:/usr/sbin
command -v ser2net >/dev/null 2>&1 || skip "ser2net is not installed"
demo_images
tty_boards 3

hold_ports 3
read -r P1 P2 P3 <"$T/ports"
cat >"$T/ser2net.yaml" <<Y
connection: &board1
  accepter: telnet(rfc2217),tcp,127.0.0.1,$P1
  connector: serialdev,/dev/ttyUSB91,9600n81,local
connection: &board2
  accepter: telnet,tcp,127.0.0.1,$P2
  connector: serialdev,/dev/ttyUSB92,115200n81,local
connection: &board3
  accepter: telnet(rfc2217),tcp,127.0.0.1,$P3
  connector: serialdev,$T/board3,115200n81,local
Y
env LD_PRELOAD="$PWD/$B/preload_tty.so" ser2net -n -d -c "$T/ser2net.yaml" >"$T/ser2net.log" 2>&1 &
SER=$!
PIDS="$PIDS $SER"
listens() { grep -qi "$(printf ':%04X 00000000:0000 0A' "$1")" /proc/net/tcp; }
wait_for "ser2net" 10 listens "$P1" || { cat "$T/ser2net.log"; fail "ser2net does not listen"; }

# the whole of it: reset by DTR and RTS, 115200, the stub, 921600, write, verify, start
expect_exit 0 timeout 120 "$FL" flash --profile profiles/demo-esp32.yaml --port "rfc2217://localhost:$P1" --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.loader) \(.baud) \(.rungs|length)"' "$T/out")" = "PASS stub 921600 0" ] ||
    { cat "$T/out" "$T/err"; fail "not PASS through ser2net"; }
grep -q 'ttyUSB91 D1' "$T/lines" && grep -q 'ttyUSB91 R1' "$T/lines" || { cat "$T/lines"; fail "the lines did not move"; }

# without RFC 2217, and with a port that has no modem lines: sentences that say so
refused() { # refused PORT PATTERN
    expect_exit 4 timeout 60 "$FL" flash --profile profiles/demo-esp32.yaml --port "rfc2217://127.0.0.1:$1" --data "$T/data" --format json
    expect_text "$T/out" "$2"
}
refused "$P2" "not an RFC 2217 server .it refuses COM-PORT-OPTION.; use socket://127.0.0.1:$P2"
refused "$P3" "does not acknowledge DTR .has the port behind it modem lines"

# the server dies while a board is written, which takes its real time here
kill "$SIM"
wait "$SIM" 2>/dev/null || :
rm -f "$T/tty.out"
tty_boards 1 --pace real
"$FL" flash --profile profiles/demo-esp32.yaml --port "rfc2217://127.0.0.1:$P1" --data "$T/data" --format json >"$T/died" 2>"$T/died.err" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the write" 60 grep -q " write " "$T/died.err" || { cat "$T/died" "$T/died.err"; fail "it does not come to the write"; }
kill -9 "$SER"
rc=0
wait $RUN || rc=$?
[ "$rc" = 1 ] || [ "$rc" = 4 ] || { cat "$T/died" "$T/died.err"; fail "exit $rc after the server died"; }
case $(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault) \(.step)"' "$T/died" | head -n 1) in
"ERROR link.lost write" | "ERROR link.lost verify") ! grep -q PASS "$T/died" || { cat "$T/died" "$T/died.err"; fail "a PASS after the server died"; } ;;
*) cat "$T/died" "$T/died.err"; fail "server died" ;;
esac
