#!/bin/sh
# tests/fault/cuts.sh all|short: the power is cut after every call that a station makes, and the disk holds what POSIX promises
# and as little as it likes of the rest (disk.h). The station then opens, its log verifies, the signer takes it for the one it
# knows, all that was seen is durable, no attempt is there twice, nothing to be sent is lost or sent again.
. tests/fault/lib.sh
# cut_power NAME FROM OPTIONS...: what is in $T/log happened to FROM
cut_power() {
    name=$1 from=$2
    shift 2
    rm -rf "$T/scratch"
    "$CUT" --jobs "$JOBS" --keep "$KEEP" "$@" "$T/log" "$from" "$T/scratch" "$W" %d check %s >"$T/cut" 2>&1 || {
        cat "$T/cut"
        return 1
    }
    echo "$name: $(tail -n 1 "$T/cut")"
}
# traced FROM WORK N [OPTIONS...]
traced() {
    from=$1 work=$2 count=$3
    shift 3
    fresh "$from"
    "$TRACE" --shown "$T/seen" "$@" "$T/log" "$T/d" "$W" "$T/d" "$work" "$T/seen" "$count" >"$T/out" 2>&1
}
# after_failed_sync FROM WHICH: those syncs fail, the station stops, and is started again while the machine goes on
after_failed_sync() {
    fresh "$1"
    "$TRACE" --shown "$T/seen" --inject "sync$2:EIO" "$T/log" "$T/d" sh -c \
        '"$0" "$1" work "$2" 2 || exit; "$0" "$1" work "$2" 1' "$W" "$T/d" "$T/seen" >"$T/out" 2>&1
}
# a_disk_that_lies: everything that was answered is lost with it, and that must be seen: else these cuts prove nothing
a_disk_that_lies() {
    traced "$T/station" work 2 --inject sync:1+:0 || { cat "$T/out"; fail "a disk that lies"; }
    if KEEP=$T/kept cut_power "a disk that lies" "$T/station" --some "$1" >"$T/lied"; then cat "$T/lied"; fail "a disk that lies was not seen"; fi
    grep -q '^FAILED (exit 1)' "$T/lied" || { cat "$T/lied"; fail "a disk that lies was not seen"; }
}

# slow_or_hung: a look that sleeps is a failure, one that works for longer than that is none
slow_or_hung() {
    rm -rf "$T/scratch"
    "$CUT" --some 1 --quiet 2 "$T/log" "$T/station" "$T/scratch" sleep 100000 >"$T/cut" && fail "a hang was not seen"
    grep -q 'it hung' "$T/cut" || { cat "$T/cut"; fail "a hang was not seen"; }
    rm -rf "$T/scratch"
    "$CUT" --some 1 --quiet 2 "$T/log" "$T/station" "$T/scratch" sh -c 'n=0; while [ $n -lt 3000000 ]; do n=$((n + 1)); done' >"$T/cut" ||
        { cat "$T/cut"; fail "work was taken for a hang"; }
}

mkdir "$T/nothing" "$T/station"
"$W" "$T/station" work "$T/first" 1 >"$T/out" 2>&1 || { cat "$T/out"; exit 1; }
if [ "$1" = short ]; then
    traced "$T/station" apart 1 || { cat "$T/out"; fail "apart"; }
    cut_power "a station with its signer" "$T/station" --some 10 || fail "cut"
    after_failed_sync "$T/station" @flashline.db:3-4 || { cat "$T/out"; fail "after a failed sync"; }
    cut_power "two syncs that failed, and a cut" "$T/station" --some 6 || fail "cut"
    a_disk_that_lies 4
    exit 0
fi
a_disk_that_lies 100
slow_or_hung
traced "$T/station" apart 8 || # more commits than the signer keeps
     { cat "$T/out"; fail "apart"; }
cut_power "a station with its signer" "$T/station" --seeds 3 || fail "cut"
traced "$T/nothing" work 1 || { cat "$T/out"; fail "made"; }
cut_power "a station that is made" "$T/nothing" --seeds 1 || fail "cut"

# killed between signature and commit: the start that makes the commit again is cut too
n=1
while :; do
    rc=0
    traced "$T/station" work 2 --inject "write@flashline.db-wal:$n:KILL" || rc=$?
    [ $rc = 137 ] || { cat "$T/out"; fail "no kill that loses a commit"; }
    rm -rf "$T/copy"
    cp -r "$T/d" "$T/copy"
    case $("$W" "$T/copy" check "$T/seen" 2>&1) in "good, "*" 0 made again") ;; "good, "*) break ;; *) fail "killed" ;; esac
    n=$((n + 1))
done
mv "$T/d" "$T/lost"
traced "$T/lost" work 1 || { cat "$T/out"; fail "a commit made again"; }
cut_power "a commit made again" "$T/lost" --seeds 6 || fail "cut"

n=1
while after_failed_sync "$T/station" :$n; do
    cut_power "sync $n failed, and a cut" "$T/station" --some 60 --seeds 3 --seed $n || fail "cut"
    n=$((n + 1))
done
[ $n -gt 10 ] || { cat "$T/out"; fail "few syncs failed"; }
# and the one after it, so that the station ends with it: what it could not sync is still shown, and called clean
for n in 3 4 5 6 7; do
    after_failed_sync "$T/station" "@flashline.db:$n-$((n + 1))" || { cat "$T/out"; fail "no such syncs"; }
    cut_power "syncs $n and $((n + 1)) of the database failed, and a cut" "$T/station" --some 150 --seeds 3 --seed $n || fail "cut"
done
