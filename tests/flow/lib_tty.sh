# Sourced after lib.sh: simulated boards on pseudo-terminals that look like USB serial ports.
#   tty_boards N [sim options]   boards 1..N as /dev/ttyUSB91.. at usb:9-1.1 .. usb:9-1.N (CP2104 bridges)
#   with_tty COMMAND...          runs it with those ports in sight; their line changes go to $T/lines
export FL_TTY_SYSFS="$T/sys" FL_TTY_LOG="$T/lines" FL_TTY_MAP=
# the address sanitizer's library must be the first one loaded; a build without it needs none
sanitizer=$(ldd "$FL" | sed -n 's/.*=> \(.*lib[at]san\.so[^ ]*\).*/\1/p')
with_tty() { env LD_PRELOAD="$sanitizer $PWD/$B/preload_tty.so" "$@"; }
tty_boards() {
    n=$1
    shift
    mkdir -p "$T/sys/class/tty" "$T/sys/bus/usb/devices"
    "$FL" sim --pty --boards "$n" --station-file "$T/tty.yaml" "$@" >"$T/tty.out" 2>"$T/tty.err" &
    SIM=$!
    PIDS="$PIDS $SIM"
    wait_for "the simulator's ready line" 20 test -s "$T/tty.out" || { cat "$T/tty.err"; fail "no simulator"; }
    for i in $(seq "$n"); do
        tests/preload/sysfs "$T/sys" "ttyUSB9$i" "9-1.$i" 10c4 ea60 "000$i" cp210x "CP2104 USB to UART Bridge Controller"
        FL_TTY_MAP="$FL_TTY_MAP;/dev/ttyUSB9$i=$T/board$i"
    done
}
