#!/bin/sh
# tests/fault/writes.sh all|short: a station (station_work) whose n-th write, fsync, rename, unlink fails, or kills it: for
# every n, or for some. After each: the station opens again, its log verifies, all that was seen is durable, no attempt is
# there twice and none without its one end, nothing to be sent is lost or doubled.
set -eu
W=$PWD/$B/station_work
T=$(mktemp -d "${TMPDIR:-/tmp}/flashline-fault-XXXXXX")
trap 'chmod -R u+w "$T" 2>/dev/null; rm -rf "$T"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # which looks at the process as strace does
command -v strace >/dev/null || { echo "no strace"; exit 77; }
strace -qq -o /dev/null true 2>/dev/null || { echo "strace may not trace here"; exit 77; }

kinds='pwrite64 write fdatasync fsync rename unlink ftruncate'
runs=0 again=0
# traced DIR KIND FAULT: work on a copy of DIR with that fault, then what must hold
traced() {
    rm -rf "$T/d" "$T/seen"
    cp -r "$1" "$T/d"
    rc=0
    strace -f -qq -o /dev/null -e trace="$2" -e inject="$2:$3" "$W" "$T/d" work "$T/seen" 2 >"$T/out" 2>&1 || rc=$?
    case $rc in
    0|137) ;; # went through or stopped; killed
    *) cat "$T/out"; echo "FAILED: exit $rc with $2:$3"; exit 1 ;;
    esac
    "$W" "$T/d" check "$T/seen" >"$T/checked" 2>&1 || {
        cat "$T/out" "$T/checked"; echo "seen:"; cat "$T/seen" 2>/dev/null || :; ls -l "$T/d" "$T/d/key" || :
        echo "FAILED: $2:$3"
        exit 1
    }
    runs=$((runs + 1))
    case $(cat "$T/checked") in *" 0 made again") ;; *) again=$((again + 1)) ;; esac
}
# sweep NAME DIR: every call of every kind
sweep() {
    rm -rf "$T/d" "$T/seen"
    cp -r "$2" "$T/d"
    # by thread, for that is how strace counts
    strace -f -qq -o "$T/calls" -e trace="$(echo $kinds | tr ' ' ,)" "$W" "$T/d" work "$T/seen" 2 >"$T/out" 2>&1 || { cat "$T/out"; exit 1; }
    for kind in $kinds; do
        most=$(awk -v k="$kind(" 'index($0, k) { n[$1]++ } END { for (t in n) if (n[t] > m) m = n[t]; print m + 0 }' "$T/calls")
        n=1
        while [ "$n" -le "$most" ]; do
            traced "$2" "$kind" "error=EIO:when=$n"
            traced "$2" "$kind" "signal=KILL:when=$n"
            traced "$2" "$kind" "error=ENOSPC:when=$n+" # and from then on
            n=$((n + 1))
        done
        echo "$1: $kind, $most calls"
    done
}

mkdir "$T/nothing" "$T/station"
"$W" "$T/station" work "$T/first" 1 >"$T/out" 2>&1 || { cat "$T/out"; exit 1; }
if [ "$1" = short ]; then
    for f in fdatasync:error=EIO:when=1 fdatasync:error=EIO:when=2 fdatasync:signal=KILL:when=3 pwrite64:error=ENOSPC:when=9+ \
        pwrite64:signal=KILL:when=7 pwrite64:signal=KILL:when=12 fsync:error=EIO:when=1 rename:signal=KILL:when=1 unlink:error=EIO:when=1; do
        traced "$T/station" "${f%%:*}" "${f#*:}"
    done
    echo "$runs faults"
    exit 0
fi
sweep "a station at work" "$T/station"
sweep "a station that is made" "$T/nothing"
echo "$runs faults; after $again of them a commit was made again that the signer had signed"
[ "$again" -gt 0 ] || { echo "FAILED: no fault fell between signature and commit"; exit 1; }
