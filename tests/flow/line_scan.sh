#!/bin/sh
# A barcode scanner on a pseudo-terminal: the lot, who stands there, a serial number for a slot; half a code, two codes
# in one, a code that fits two things, a lot while boards are in: nothing is done, and it is said.
. tests/flow/lib.sh
demo_images
sed "s|, file: |, file: $PWD/profiles/|" profiles/demo-esp32.yaml >"$T/p.yaml"
printf 'detect: {every: 100ms, removed: 200ms}\n' >>"$T/p.yaml"
hold_ports 2
p1=${PORTS% *} p2=${PORTS#* }
cat >"$T/station.yaml" <<END
station: bench
lots: required
scanner: {port: "pty:$T/scanner", operator: "OP-(.+)", lot: "L-.+|X[0-9]+", serial: "SN[0-9]{4}|X[0-9]+", slot: "S([0-9]+)"}
slots:
  - {slot: 1, port: "rfc2217://127.0.0.1:$p1"}
  - {slot: 2, port: "rfc2217://127.0.0.1:$p2"}
END
"$FL" init --data "$T/data" --station bench --no-passphrase >/dev/null
for lot in L-1 L-2; do
    expect_exit 0 "$FL" lot open $lot --profile "$T/p.yaml" --quantity 10 --data "$T/data"
done
expect_exit 2 "$FL" flash --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data"
expect_text "$T/err" 'lots: required'
socat "PTY,link=$T/scanner,raw,echo=0" "PTY,link=$T/gun,raw,echo=0" &
PIDS="$PIDS $!"
wait_for "the scanner's terminal" 10 test -e "$T/gun" || fail "no terminal"
exec 5<>"$T/gun"
shoot() { printf "$1" >&5; }
"$FL" run --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the line" 20 test -S "$T/data/door" || { cat "$T/progress"; fail "no line"; }
said() { grep -Eq -- "scan: $1" "$T/progress"; }
heard() { wait_for "'$1'" 20 said "$1" || { cat "$T/progress"; fail "'$1' was not said"; }; }
board() { # board PORT SEED
    "$FL" sim --boards 1 --listen "127.0.0.1:$1" --station-file "$T/s$2.yaml" --seed "$2" >"$T/sim$2" 2>&1 &
    SIM=$!
    PIDS="$PIDS $SIM"
}
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }

# first codes may come before the program has opened the terminal: the lot is shot until it is heard
again() { shoot 'L-9\r'; sleep 0.2; said 'there is no lot L-9'; }
wait_for "the first code" 20 again || { cat "$T/progress"; fail "the scanner is not heard"; }
shoot 'SN00'
heard "half a code, 'SN00': nothing is done"
shoot 'X17\r'
heard "'X17' may be a lot or a serial: nothing is done"
shoot 'SN0001SN0002\r'
heard "'SN0001SN0002' is nothing that is scanned here: nothing is done"
shoot 'OP-eva\r\nL-1\r\n' # two codes in one burst are two
heard 'eva stands at the line'
heard 'lot L-1 is made from now on'
shoot 'SN0001\r'
heard "'SN0001' is for which slot"
shoot 'S2\rSN0001\r'
heard "'SN0001' is for the next unit in slot 2"
board "$p1" 31
one=$SIM
wait_for "slot 1" 60 attempts 1 || { cat "$T/progress"; fail "slot 1"; }
shoot 'L-2\r'
heard 'lot L-2: take all boards out first \(slot 1\)'
board "$p2" 32
two=$SIM
wait_for "slot 2" 60 attempts 2 || { cat "$T/progress"; fail "slot 2"; }
shoot 'S1\rSN0001\r' # used by now
kill "$one" "$two"
wait "$one" "$two" 2>/dev/null || : # or their ports may still be theirs
empty() { "$FL" scan L-2 --data "$T/data" 2>"$T/err" | grep -q 'lot L-2 is made from now on'; }
wait_for "the next lot, when all boards are out" 30 empty || { cat "$T/err" "$T/progress"; fail "the lot was not changed"; }
expect_exit 2 "$FL" scan nonsense --data "$T/data"
board "$p1" 33
wait_for "a board of the next lot" 60 attempts 3 || { cat "$T/progress"; fail "the third"; }
kill -TERM $RUN
wait $RUN || :
sql "SELECT slot, outcome, coalesce(fault, ''), lot, operator, coalesce(serial, '') FROM attempt_view ORDER BY leaf" >"$T/is"
cat >"$T/want" <<'END'
1|PASS||L-1|eva|
2|PASS||L-1|eva|SN0001
1|ABORTED|serial.used|L-2|eva|SN0001
END
cmp -s "$T/is" "$T/want" || { cat "$T/is" "$T/progress"; fail "the records"; }
[ "$(sql "SELECT count(*) FROM shift WHERE change = 'begin'")" = 1 ] || fail "who stands there is not recorded"
expect_exit 0 "$FL" audit --data "$T/data"
