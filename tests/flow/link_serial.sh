#!/bin/sh
# Boards behind real serial ports, as far as a machine without boards can have them: open, flock, termios, libserialport,
# DTR and RTS by ioctl and the USB place are the real ones; the preload library lends a pseudo-terminal the rest.
. tests/flow/lib.sh
. tests/flow/lib_tty.sh
demo_images
tty_boards 3

# by place and by name, at once; the boards were reset into the loader by the lines and nothing else
expect_exit 0 with_tty timeout 120 "$FL" flash --profile profiles/demo-esp32.yaml --port usb:9-1.1 --port /dev/ttyUSB92 \
    --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt" and .outcome=="PASS")|.port' "$T/out" | sort | tr '\n' ' ')" = "/dev/ttyUSB92 usb:9-1.1 " ] ||
    { cat "$T/out" "$T/err"; fail "not both PASS"; }
# the kernel raises both lines at open; the first thing that is done is to release both in one step
[ "$(grep ttyUSB91 "$T/lines" | head -n 2 | tr '\n' ' ')" = "ttyUSB91 D1R1 ttyUSB91 D0R0 " ] || { cat "$T/lines"; fail "lines at open"; }

# a port that somebody has: told with the holder, outcome and code of a port, and the holder's lines are left alone
: >"$T/lines"
flock -F "$(readlink "$T/board3")" sleep 60 & # without a fork: who is killed is who holds it
HOLD=$!
PIDS="$PIDS $HOLD"
held() { with_tty "$FL" ports | grep -q 'ttyUSB93 .*busy: [0-9]* sleep'; }
wait_for "the lock" 5 held || { with_tty "$FL" ports; fail "ports does not tell who holds it"; }
expect_exit 4 with_tty timeout 60 "$FL" flash --profile profiles/demo-esp32.yaml --port usb:9-1.3 --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out")" = "ERROR port.busy" ] || { cat "$T/out" "$T/err"; fail "busy"; }
expect_text "$T/out" '/dev/ttyUSB93 is held by another process: [0-9]+ sleep'
! grep -q 'D0R0' "$T/lines" || { cat "$T/lines"; fail "moved the holder's lines"; }
kill "$HOLD"

# nothing at that place
expect_exit 4 with_tty timeout 60 "$FL" flash --profile profiles/demo-esp32.yaml --port usb:9-1.7 --data "$T/data" --format json
expect_text "$T/out" 'port\.missing'
expect_text "$T/out" 'nothing is plugged in at usb:9-1\.7'

# the whole fixture loses power in mid-write, which takes its real time here
kill "$SIM"
wait "$SIM" 2>/dev/null || :
rm -f "$T/tty.out"
tty_boards 1 --pace real
with_tty "$FL" flash --profile profiles/demo-esp32.yaml --port /dev/ttyUSB91 --data "$T/data2" --format json >"$T/pulled" 2>"$T/pulled.err" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the write" 60 grep -q " write " "$T/pulled.err" || { cat "$T/pulled" "$T/pulled.err"; fail "it does not come to the write"; }
rm "$T/board1" # first: the number of a dead pseudo-terminal is given to the next process that asks
kill -9 "$SIM"
rc=0
wait $RUN || rc=$?
case $rc in
1 | 4) ;;
*) cat "$T/pulled" "$T/pulled.err"; fail "exit $rc after the port vanished" ;;
esac
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault) \(.step)"' "$T/pulled" | head -n 1)" = "ERROR link.lost write" ] &&
    ! grep -q PASS "$T/pulled" || { cat "$T/pulled" "$T/pulled.err"; fail "pulled"; }
