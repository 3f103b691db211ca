# Sourced by flow tests: a temporary folder in $T, the program in $FL, simulated boards, and checks that say what they
# saw. Everything started is stopped and $T is removed at the end, however the test ends.
set -eu
: "${B:=build/san}"
FL=$PWD/$B/flashline
T=$(mktemp -d "${TMPDIR:-/tmp}/flashline-flow-XXXXXX")
PIDS=
finish() {
    rc=$?
    jobs -p >"$T/jobs" # of $PIDS those that still are ours: the number of one that was waited for may be another's by now
    for p in $(cat "$T/jobs"); do kill "$p" 2>/dev/null || :; done
    for p in $(cat "$T/jobs"); do wait "$p" 2>/dev/null || :; done
    if [ -n "${KEEP:-}" ]; then echo "kept: $T"; else chmod -R u+w "$T" 2>/dev/null || :; rm -rf "$T"; fi
    exit $rc
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

fail() { echo "FAILED: $*"; exit 1; }
skip() { echo "$*"; exit 77; }

# sim_start NAME ARGS...: boards in the background; their station file is $T/NAME.yaml, their flash $T/NAME.flash
sim_start() {
    name=$1
    shift
    "$FL" sim --listen 127.0.0.1:0 --station-file "$T/$name.yaml" --state "$T/$name.flash" "$@" \
        >"$T/$name.out" 2>"$T/$name.err" &
    SIM=$!
    PIDS="$PIDS $SIM"
    wait_for "the simulator's ready line" 20 test -s "$T/$name.out" ||
        { cat "$T/$name.err"; fail "the simulator did not start"; }
}

# wait_for WHAT SECONDS COMMAND...: until the command succeeds; false after ten looks for each second, which are more seconds
# where the machine is slow
wait_for() {
    what=$1 left=$(($2 * 10))
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || { echo "waited in vain for $what"; return 1; }
        sleep 0.1
    done
}

# expect_exit CODE COMMAND...: runs it, output in $T/out and $T/err, and checks the exit code
expect_exit() {
    want=$1
    shift
    rc=0
    "$@" >"$T/out" 2>"$T/err" || rc=$?
    [ "$rc" = "$want" ] || {
        echo "--- stdout"; cat "$T/out"; echo "--- stderr"; cat "$T/err"
        fail "exit $rc, expected $want: $*"
    }
}

# expect_text FILE PATTERN: an extended regular expression that must match a line
expect_text() { grep -Eq -- "$2" "$1" || { cat "$1"; fail "'$2' is not in $1"; }; }

# port_of NAME N: URL of the Nth slot in a station file
port_of() { sed -n 's/.*port: *"\{0,1\}\([^",}]*\)"\{0,1\}.*/\1/p' "$T/$1.yaml" | sed -n "$2p"; }

# sql QUERY: over the data folder $T/data; a station that starts or ends beside it has the file to itself for a moment. One that
# is not there yet is not made: an empty one would be in the way of the station that makes it
sql() { sqlite3 -cmd '.timeout 10000' "file:$T/data/flashline.db?mode=rw" "$1"; }

# hold_ports N: N port numbers of 127.0.0.1 in $PORTS where nobody listens until the test does. They are held until the test
# ends by sockets that are bound and do not listen: the system gives such a number to nobody who asks for any, and to whom a
# port number was given back at once it may be gone before it is used. Who listens there must set SO_REUSEADDR.
hold_ports() {
    : >"$T/ports"
    python3 -c 'import os, socket, sys, time
test, held = os.getppid(), [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held), flush=True)
while os.getppid() == test:
    time.sleep(1)' "$1" >"$T/ports" 2>"$T/ports.err" &
    PIDS="$PIDS $!"
    wait_for "port numbers" 20 test -s "$T/ports" || { cat "$T/ports.err"; fail "no port numbers"; }
    PORTS=$(cat "$T/ports")
}

demo_images() { scripts/make-demo-images >"$T/images.log" 2>&1 || { cat "$T/images.log"; fail "no demo images"; }; }
