#!/bin/sh
# tests/fault/verbs.sh: the power is cut after every call of a verb that changes the folder or writes a file. What it
# makes is there as before, or new and whole, never half; what it said it had done is done; it can be asked again; and the
# station works on, its log verifies, its rows are what its records say.
. tests/fault/lib.sh
export FL T
SOME=${SOME:-300} # of a verb; all of init or migrate would be thousands
# verb NAME FROM SOME COMMAND...: what COMMAND does to a copy of FROM; looked at by verb_after.sh NAME
verb() {
    name=$1 from=$2 some=$3
    shift 3
    fresh "$from"
    rc=0
    "$TRACE" --shown "$T/seen" "$T/log" "$T/d" "$@" >>"$T/seen" 2>"$T/out" || rc=$?
    [ $rc = 0 ] || { cat "$T/out" "$T/seen"; fail "$name: exit $rc"; }
    rm -rf "$T/scratch"
    "$CUT" --jobs "$JOBS" --keep "$KEEP" --some "$some" --seeds 2 "$T/log" "$from" "$T/scratch" sh tests/fault/verb_after.sh "$name" %d %s \
        >"$T/cut" 2>&1 || { cat "$T/cut"; fail "$name"; }
    echo "$name: $(tail -n 1 "$T/cut")"
}

# a station with a unit that passed
scripts/make-demo-images >"$T/out" 2>&1 || { cat "$T/out"; fail "no demo images"; }
"$FL" sim --listen 127.0.0.1:0 --station-file "$T/sim.yaml" --state "$T/flash" --boards 1 >"$T/sim.out" 2>&1 &
sim=$!
trap 'kill $sim 2>/dev/null || :; rm -rf "$T"' EXIT # it was ended long ago: no failure
until [ -s "$T/sim.out" ]; do kill -0 $sim || fail "no simulator"; sleep 0.1; done
mkdir "$T/base" "$T/nothing"
"$FL" init --data "$T/base/data" --station bench --no-passphrase >"$T/out" 2>&1 || { cat "$T/out"; fail "init"; }
"$FL" lot open L-1 --profile profiles/demo-esp32.yaml --data "$T/base/data" >"$T/out" 2>&1 || { cat "$T/out"; fail "lot open"; }
"$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --lot L-1 --data "$T/base/data" >"$T/out" 2>&1 || { cat "$T/out"; fail "flash"; }
kill $sim
MAC=$(sqlite3 "$T/base/data/flashline.db" "SELECT mac FROM attempt_view WHERE outcome = 'PASS'")
VKEY=$(cat "$T/base/data/key/log.vkey")
export MAC VKEY
d=$T/d/data

verb init "$T/nothing" "$SOME" "$FL" init --data "$T/d/deep/data" --station bench --no-passphrase
verb lot_open "$T/base" "$SOME" "$FL" lot open L-9 --profile profiles/demo-esp32.yaml --data "$d"
verb lot_close "$T/base" "$SOME" "$FL" lot close L-1 --data "$d"
verb rotate "$T/base" "$SOME" "$FL" key rotate --data "$d"
verb retire "$T/base" "$SOME" "$FL" key retire --for-good --data "$d"
verb backup "$T/base" "$SOME" "$FL" db backup "$T/d/copy.db" --data "$d"
verb rebuild "$T/base" "$SOME" "$FL" db rebuild --data "$d"
verb export "$T/base" "$SOME" "$FL" export --bundle "$T/d/bundle" --data "$d"
verb certificate "$T/base" "$SOME" "$FL" certificate "$MAC" -o "$T/d/unit.cert" --data "$d"
printf 'a long password\n' >"$T/password"
verb web_user "$T/base" "$SOME" sh -c '"$0" web user ann --role viewer --password-fd 3 --data "$1" 3<"$2"' "$FL" "$d" "$T/password"
"$FL" web user ann --role viewer --password-fd 3 --data "$T/base/data" 3<"$T/password" >"$T/out" 2>&1 || { cat "$T/out"; fail "web user"; }
verb web_user_more "$T/base" "$SOME" sh -c '"$0" web user bob --role engineer --password-fd 3 --data "$1" 3<"$2"' "$FL" "$d" "$T/password"

# a folder of an older version, brought up to date
v2=tests/unit/record/v2
mkdir -p "$T/older/data/key"
cp $v2/station $v2/checkpoint "$T/older/data"
cp $v2/log.vkey $v2/log.key "$T/older/data/key"
chmod 600 "$T/older/data/key/log.key"
{ cat $v2/flashline.sql; echo 'PRAGMA application_id = 1179407440; PRAGMA user_version = 2; PRAGMA journal_mode = WAL;'; } |
    sqlite3 "$T/older/data/flashline.db" >"$T/out"
VKEY=$(cat $v2/log.vkey)
verb migrate "$T/older" "$SOME" "$FL" key adopt --data "$d"
