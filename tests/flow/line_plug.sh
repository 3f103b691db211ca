#!/bin/sh
# The line that stays, behind ports that look like USB: all sockets of a hub, boards that come and go by the kernel's
# notice, a finished board that is left alone, a dead one, a port that is held, a port that comes and goes ten times a second, and a port outside the list
# that is never touched. Then the same fixture numbered by `slots learn`.
. tests/flow/lib.sh
. tests/flow/lib_tty.sh
demo_images
mkdir -p "$T/dev"
export FL_TTY_DEV="$T/dev"
echo 'boards: [{board: 5, faults: [silent]}]' >"$T/scenario"
tty_boards 5 --scenario "$T/scenario"
tests/preload/sysfs "$T/sys" ttyUSB94 9-2 10c4 ea60 0004 cp210x "CP2104 USB to UART Bridge Controller" # outside the hub
rm "$T/sys/bus/usb/devices/9-1.4" "$T/sys/bus/usb/devices/9-1.4:1.0"
[ -e "$T/sys/bus/usb/devices/9-1" ] || { # the hub itself
    hub=$(dirname "$(readlink -f "$T/sys/bus/usb/devices/9-1.1")")
    ln -sfn "$hub" "$T/sys/bus/usb/devices/9-1"
    echo 3 >"$hub/maxchild"
    mkdir -p "$T/sys/bus/usb/devices/usb9"
    echo 2 >"$T/sys/bus/usb/devices/usb9/maxchild" # the root hub of its bus
}
FL_TTY_MAP="$FL_TTY_MAP;/dev/ttyUSB96=$T/board5"
tests/preload/sysfs "$T/sys" ttyUSB96 8-1 10c4 ea60 0006 cp210x "CP2104 USB to UART Bridge Controller" # another bus
unplug() { # unplug N: its socket is empty, and /dev says so
    mv "$T/sys/bus/usb/devices/9-1.$1" "$T/socket$1"
    mv "$T/sys/class/tty/ttyUSB9$1" "$T/tty$1"
    rm -f "$T/dev/ttyUSB9$1"
}
plug() {
    mv "$T/socket$1" "$T/sys/bus/usb/devices/9-1.$1"
    mv "$T/tty$1" "$T/sys/class/tty/ttyUSB9$1"
    : >"$T/dev/ttyUSB9$1"
}
unplug 3
sed "s|, file: |, file: $PWD/profiles/|" profiles/demo-esp32.yaml >"$T/p.yaml"
echo 'detect: {settle: 300ms, again: 1s}' >>"$T/p.yaml"
printf 'station: bench\nscanner: {operator: "OP-(.+)"}\nslots:\n  - {slot: 11, port: "usb:9-1.*"}\n' >"$T/station.yaml"
env LD_PRELOAD="$sanitizer $PWD/$B/preload_tty.so" "$FL" run --profile "$T/p.yaml" --station "$T/station.yaml" --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
run=$!
PIDS="$PIDS $run"
attempts() { [ "$(grep -c '"type":"attempt"' "$T/result")" -ge "$1" ]; }
says() { grep -Eq -- "$1" "$T/progress"; }
wait_for "the two boards that are in" 60 attempts 2 || { cat "$T/progress"; fail "not two"; }
# somebody has the port: that is shown, and it goes on when it is free
flock -F "$(readlink "$T/board3")" sleep 60 & # without a fork: who is killed is who holds it
HOLD=$!
PIDS="$PIDS $HOLD"
plug 3
wait_for "the busy port to be shown" 30 says '^ 13 .* CLOSED .*port\.busy' || { cat "$T/progress"; fail "busy is not shown"; }
kill "$HOLD"
wait_for "the third" 60 attempts 3 || { cat "$T/progress"; fail "the board that was plugged in was not flashed"; }
[ "$(jq -r 'select(.type=="attempt")|"\(.slot) \(.port) \(.outcome)"' "$T/result" | sort | tr '\n' ';')" = \
    "11 usb:9-1.1 PASS;12 usb:9-1.2 PASS;13 usb:9-1.3 PASS;" ] || { cat "$T/result"; fail "slots of the hub"; }

# ten times a second: nothing is done to it, it is said, and when it stays it is the board that passed a moment ago. Five
# times are enough; the station need not see each
flaps() {
    unplug 2
    sleep 0.05 # the rate is what is tested
    plug 2
    sleep 0.05
    says '^ 12 .* CLOSED .*port\.flapping'
}
wait_for "the slot to say that its port flaps" 20 flaps || { cat "$T/progress"; fail "not said"; }
back() { tail -n 1 "$T/progress" | grep -q '^ 12 .* PASS .* leaf'; }
wait_for "the board that stays" 30 back || { cat "$T/progress"; fail "the slot does not go on when the port stays"; }
unplug 2
empty() { "$FL" status --data "$T/data" --format json | jq -e '.line.slots[]|select(.slot==12)|.state=="empty"' >/dev/null; }
wait_for "the slot to see that it is gone" 20 empty || { cat "$T/progress"; fail "a port that is gone is shown as there"; }
sleep 1.5 # longer than `again`
attempts 4 && { cat "$T/result"; fail "an attempt on a port that flaps"; }
# taken out and put in by hand: that is a new try
expect_exit 0 "$FL" scan OP-eva --data "$T/data" # what else the station file says holds beside a hub
plug 2
wait_for "the second board again" 60 attempts 4 || { cat "$T/progress"; fail "a board that was away was not flashed"; }
kill -TERM $run
rc=0
wait $run || rc=$?
[ $rc = 0 ] || { cat "$T/progress"; fail "exit $rc"; }
! grep ttyUSB94 "$T/lines" || fail "a port outside the list was touched"
[ "$(sql "SELECT count(*), sum(operator = 'eva') FROM attempt_view")" = "4|1" ] || fail "records"
expect_exit 2 with_tty "$FL" run --profile "$T/p.yaml" --port "usb:9-7.*" --data "$T/data"
expect_text "$T/err" 'there is no hub at usb:9-7 now'
expect_exit 2 with_tty "$FL" run --profile "$T/p.yaml" --port "usb:7-*" --data "$T/data"
expect_text "$T/err" 'there is no hub at usb:7 now'
# all of the bus: the hub's sockets in its place, then the root hub's other one; nothing of another bus
expect_exit 0 with_tty "$FL" flash --profile "$T/p.yaml" --port "usb:9-*" --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.slot) \(.port) \(.outcome)"' "$T/out" | sort | tr '\n' ';')" = \
    "1 usb:9-1.1 PASS;2 usb:9-1.2 PASS;3 usb:9-1.3 PASS;4 usb:9-2 PASS;" ] || { cat "$T/out"; fail "slots of the root hub"; }
! grep ttyUSB96 "$T/lines" || fail "a port outside the list was touched"

# a dead board is one attempt, however long it stays in; pulled, its slot is empty
unplug 5
env LD_PRELOAD="$sanitizer $PWD/$B/preload_tty.so" FL_TTY_LOOKS="$T/looks" "$FL" run --profile "$T/p.yaml" --port usb:9-1.5 --data "$T/data" --format json >"$T/result" 2>"$T/progress" &
run=$!
PIDS="$PIDS $run"
working() { [ -S "$T/data/door" ]; }
wait_for "the line" 20 working || { cat "$T/progress"; fail "no line"; }
# the line's first look must find the place empty: a bridge that is there from the start may stay without a board
wait_for "the first look" 20 grep -q '/9-1\.5$' "$T/looks" || { cat "$T/progress"; fail "nobody looks at the place"; }
plug 5
wait_for "the dead board" 60 attempts 1 || { cat "$T/progress"; fail "a dead board is not told"; }
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/result")" = "ERROR link.silent" ] || { cat "$T/result"; fail "dead"; }
sleep 2 # several looks
tail -n 1 "$T/progress" | grep -q ' ERROR ' || { cat "$T/progress"; fail "a dead board is tried again and again"; }
kill -TERM $run
wait $run || :

# numbering: what is in is not counted, one after another is, twice is said, two at once are refused
unplug 1
unplug 2
unplug 3
expect_exit 2 "$FL" slots learn --station "$T/no-folder/line.yaml" </dev/null
expect_text "$T/err" 'cannot write .*no-folder: No such' # said before the first cable is plugged in
[ ! -s "$T/out" ] || fail "a cable was asked for"
mkfifo "$T/keys"
echo old >"$T/learned.yaml"
env LD_PRELOAD="$sanitizer $PWD/$B/preload_tty.so" "$FL" slots learn --station "$T/learned.yaml" --name bench-2 <"$T/keys" >"$T/learn" 2>&1 &
learn=$!
PIDS="$PIDS $learn"
exec 4>"$T/keys"
told() { grep -Eq -- "$1" "$T/learn"; }
wait_for "slot 1" 20 told '^slot 1: plug in' || { cat "$T/learn"; fail "learn does not ask"; }
plug 3
wait_for "slot 1's place" 20 told 'slot 1 is usb:9-1\.3 ' || { cat "$T/learn"; fail "slot 1"; }
twice() { # out for longer than two looks: it is seen to go, or else the next time
    unplug 3
    sleep 0.5
    plug 3
    sleep 0.5
    told 'that is slot 1 already'
}
wait_for "a socket twice" 2 twice || { cat "$T/learn"; fail "twice"; }
plug 1
wait_for "slot 2's place" 20 told 'slot 2 is usb:9-1\.1 ' || { cat "$T/learn"; fail "slot 2"; }
echo >&4
rc=0
wait $learn || rc=$?
exec 4>&-
[ $rc = 0 ] || { cat "$T/learn"; fail "learn: exit $rc"; }
[ "$(cat "$T/learned.yaml")" = 'station: bench-2
slots:
  - {slot: 1, port: "usb:9-1.3"}
  - {slot: 2, port: "usb:9-1.1"}' ] || { cat "$T/learned.yaml"; fail "what was written"; }
[ "$(cat "$T/learned.yaml.old")" = old ] || fail "the file that was there"
