# Sourced by the scripts here: $W the station without boards, $TRACE and $CUT, a scratch folder $T in memory where there is
# any (nothing here needs a real disk), removed at the end.
set -eu
W=$PWD/$B/station_work
TRACE=$PWD/$B/disk_trace
CUT=$PWD/$B/disk_cut
FL=$PWD/$B/flashline
roomy() { [ -w "$1" ] && [ "$(df -Pk "$1" | awk 'NR == 2 { print $4 }')" -gt 500000 ]; }
if roomy /dev/shm; then where=/dev/shm; else where=${TMPDIR:-/tmp}; fi
T=$(mktemp -d "$where/flashline-fault-XXXXXX")
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # which looks at the process as a tracer does
JOBS=$(nproc 2>/dev/null || echo 2)
KEEP=${KEEP:-${TMPDIR:-/tmp}/flashline-fault-kept}
fail() { echo "FAILED: $*"; exit 1; }
mkdir "$T/try"
"$TRACE" "$T/log" "$T/try" mkdir "$T/try/a" 2>"$T/out" || { cat "$T/out"; echo "no program may be traced here"; exit 77; }
"$TRACE" --inject sync:9:EIO "$T/log" "$T/try" true >/dev/null 2>&1 || [ $? = 98 ] || fail "disk_trace"
case $(uname -m) in x86_64) ;; *) echo "disk_trace injects on x86-64 only"; exit 77 ;; esac

# fresh FROM: $T/d as FROM is, and nothing seen
fresh() {
    rm -rf "$T/d" "$T/seen"
    cp -r "$1" "$T/d"
    : >"$T/seen"
}
