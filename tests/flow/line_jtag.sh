#!/bin/sh
# A chip with USB-Serial/JTAG brings its port along: when it restarts the port goes and comes, under another name. It stays
# the same slot, by its socket; a board that passed and comes anew is not flashed again; one that goes in the middle of an
# attempt is tried again where it was.
. tests/flow/lib.sh
. tests/flow/lib_tty.sh
demo_images
mkdir -p "$T/dev"
export FL_TTY_DEV="$T/dev"
cat >"$T/scenario" <<'END2'
defaults: {chip: esp32c3, bridge: usb_jtag, power_up: run}
boards:
  - {board: 2, faults: [{kind: unplug, op: 0x11, nth: 1, ms: 1500, count: 1}]}
END2
tty_boards 2 --scenario "$T/scenario"
rm -r "$T/sys"
mkdir -p "$T/sys/class/tty" "$T/sys/bus/usb/devices"
FL_TTY_MAP=
for name in 1 2 3 4; do FL_TTY_MAP="$FL_TTY_MAP;/dev/ttyACM9$name=$T/board1"; done
for name in 5 6; do FL_TTY_MAP="$FL_TTY_MAP;/dev/ttyACM9$name=$T/board2"; done
port() { # port SOCKET NAME: what is plugged in there is ttyACM9NAME now
    tests/preload/sysfs "$T/sys" "ttyACM9$2" "9-1.$1" 303a 1001 "60:55:f9:00:00:0$1" cdc_acm "USB JTAG/serial debug unit"
    : >"$T/dev/ttyACM9$2"
}
gone() { # gone SOCKET NAME
    rm -rf "$T/sys/class/tty/ttyACM9$2" "$T/sys/bus/usb/devices/9-1.$1" "$T/sys/bus/usb/devices/9-1.$1:1.0" \
        "$T/sys/devices/pci0000:00/0000:00:14.0/usb9/9-1/9-1.$1"
    rm -f "$T/dev/ttyACM9$2"
}
sed "s|, file: |, file: $PWD/profiles/|; s/^retry.*/retry: {attempts: 2}/" profiles/demo-esp32c3.yaml >"$T/p.yaml"
again() { echo "detect: {settle: 50ms, again: $1}" | cat "$T/p.yaml" - >"$T/again.yaml"; } # how long a board may be away and be the same
printf 'station: bench\nslots:\n  - {slot: 7, port: "usb:9-1.1"}\n  - {slot: 8, port: "usb:9-1.2"}\n' >"$T/station.yaml"
line() {
    env LD_PRELOAD="$sanitizer $PWD/$B/preload_tty.so" "$FL" run --profile "$T/again.yaml" --station "$T/station.yaml" --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
    run=$!
    PIDS="$PIDS $run"
    wait_for "the line" 20 working || { cat "$T/progress"; fail "no line"; }
}
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }
working() { [ -S "$T/data/door" ]; }
again 300s # however slow this machine is
line
port 1 1
wait_for "the board" 60 attempts 1 || { cat "$T/progress"; fail "the board was not flashed"; }
# its program starts: the port goes, and comes as another tty
is() { "$FL" status --data "$T/data" --format json | jq -e --arg s "$1" '.line.slots[]|select(.slot==7)|.state==$s' >/dev/null; }
for name in 2 3; do
    gone 1 $((name - 1))
    wait_for "the slot to see it go" 10 is empty || { cat "$T/progress"; fail "a port that goes is not seen"; }
    port 1 $name
    wait_for "the same board" 10 is pass || { cat "$T/progress"; fail "the board that passed is not known again"; }
done
attempts 2 && { cat "$T/result"; fail "a board that came anew was flashed again"; }
gone 1 3
wait_for "an empty slot" 10 is empty || fail "not empty"
free() { ! ls -l "/proc/$run/fd" | grep -q "$(readlink "$T/board1")\$"; }
wait_for "the port to be let go" 10 free || { ls -l "/proc/$run/fd"; fail "a port that went is held open: its name stays taken"; }
kill -TERM $run
wait $run || :
# taken out for longer than that, another board may be in
again 1s
line
port 1 3
wait_for "the board" 60 attempts 1 || { cat "$T/progress"; fail "the board was not flashed"; }
gone 1 3
wait_for "an empty slot" 10 is empty || fail "not empty"
sleep 1.2 # longer than `again`
port 1 4
wait_for "a new try" 60 attempts 2 || { cat "$T/progress"; fail "not tried anew"; }
# in the middle of an attempt
port 2 5
left() { [ ! -e "$T/board2" ]; }
wait_for "the port to go while it is written" 60 left || { cat "$T/progress"; fail "the fault did not come"; }
gone 2 5
back() { [ -e "$T/board2" ]; }
wait_for "the port to come" 20 back || fail "the simulator's port"
port 2 6
wait_for "the second try" 60 attempts 4 || { cat "$T/progress" "$T/result"; fail "not tried again"; }
kill -TERM $run
wait $run || :
sql "SELECT slot, port, outcome, coalesce(fault, '') FROM attempt_view ORDER BY leaf" >"$T/is"
cat >"$T/want" <<'END2'
7|usb:9-1.1|PASS|
7|usb:9-1.1|PASS|
7|usb:9-1.1|PASS|
8|usb:9-1.2|ERROR|link.lost
8|usb:9-1.2|PASS|
END2
cmp -s "$T/is" "$T/want" || { cat "$T/is" "$T/progress"; fail "the records"; }
[ "$(sql "SELECT count(DISTINCT mac) FROM attempt_view")" = 2 ] || fail "not two boards"
expect_exit 0 "$FL" audit --data "$T/data"
