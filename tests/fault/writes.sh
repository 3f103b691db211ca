#!/bin/sh
# tests/fault/writes.sh all|short: a station (station_work) whose n-th write, sync, rename or unlink, made file, cut file fails,
# or fails from then on because the disk is full: for every n, or for some. After each: the station opens again, its log
# verifies, all that was seen is durable, no attempt is there twice and none without its one end, nothing to be sent is lost
# or doubled. (That it dies in a call is the same as a cut that leaves all: cuts.sh.)
. tests/fault/lib.sh
runs=0 again=0
# injected FROM WHAT:N:HOW: work on a copy of FROM with that fault, then what must hold. False: there is no such call.
injected() {
    fresh "$1"
    rc=0
    "$TRACE" --shown "$T/seen" --inject "$2" "$T/log" "$T/d" "$W" "$T/d" "${WORK:-work}" "$T/seen" 2 >"$T/out" 2>&1 || rc=$?
    case $rc in
    98) return 1 ;;
    0|137) ;; # went through or stopped; killed
    *) cat "$T/out"; fail "exit $rc with $2" ;;
    esac
    "$W" "$T/d" check "$T/seen" >"$T/checked" 2>&1 || { cat "$T/out" "$T/checked"; echo "seen:"; cat "$T/seen"; ls -lR "$T/d"; fail "$2"; }
    runs=$((runs + 1))
    case $(cat "$T/checked") in *" 0 made again") ;; *) again=$((again + 1)) ;; esac
}
# sweep NAME FROM: every call of every kind
sweep() {
    for kind in write sync name create size; do
        n=1
        while injected "$2" "$kind:$n:EIO"; do
            injected "$2" "$kind:$n+:ENOSPC" || :
            n=$((n + 1))
        done
        echo "$1: $kind, $((n - 1)) calls"
    done
}

mkdir "$T/nothing" "$T/station"
"$W" "$T/station" work "$T/first" 1 >"$T/out" 2>&1 || { cat "$T/out"; exit 1; }
if [ "$1" = short ]; then
    for f in sync:3:EIO sync:4:EIO write:30+:ENOSPC write@flashline.db-wal:3:KILL name:2:EIO; do
        injected "$T/station" $f || fail "there is no call for $f"
    done
    echo "$runs faults"
    exit 0
fi
sweep "a station at work" "$T/station"
sweep "a station that is made" "$T/nothing"
echo "a station at work whose signer, a process of its own, is killed in its n-th write, sync"
WORK=apart
for kind in write sync; do
    n=1
    while injected "$T/station" "$kind@key/memory:$n:KILL"; do n=$((n + 1)); done
    [ $n -gt 4 ] || fail "no signer was killed"
done
echo "$runs faults; after $again of them a commit was made again that the signer had signed"
[ "$again" -gt 0 ] || fail "no fault fell between signature and commit"
