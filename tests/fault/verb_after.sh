#!/bin/sh
# verb_after.sh NAME FOLDER SHOWN: what must hold of a station after its power was cut in that verb (verbs.sh).
set -eu
name=$1 dir=$2 data=$2/data
said() { [ -s "$shown" ]; }
shown=$3
fail() { echo "FAILED: $name: $*"; exit 1; }
ok() { "$@" >"$dir.out" 2>&1 || { cat "$dir.out"; fail "exit $?: $*"; }; }
works() {
    ok "$FL" operator begin "somebody $1" --data "$data"
    ok "$FL" audit --data "$data" --key "$VKEY"
    ok "$FL" db check --data "$data"
}
[ "$name" != init ] || data=$dir/deep/data

case $name in
init)
    if said; then [ -e "$data/key/log.vkey" ] || fail "it said that there is a station"; fi
    [ -e "$data/key/log.vkey" ] || ok "$FL" init --data "$data" --station bench --no-passphrase
    VKEY=$(cat "$data/key/log.vkey") ;;
lot_open) # a commit that is made again opens it: so the station is started first
    works early
    if said; then ok "$FL" lot show L-9 --data "$data"; fi
    "$FL" lot show L-9 --data "$data" >"$dir.out" 2>&1 || ok "$FL" lot open L-9 --profile profiles/demo-esp32.yaml --data "$data" ;;
lot_close)
    works early
    closed=$(sqlite3 "$data/flashline.db" "SELECT state = 'closed' FROM lot_view WHERE lot = 'L-1'")
    if said; then [ "$closed" = 1 ] || fail "it said that it was closed"; fi
    [ "$closed" = 1 ] || ok "$FL" lot close L-1 --data "$data" ;;
rotate)
    works early
    new=$(sqlite3 "$data/flashline.db" "SELECT count(*) FROM record WHERE event = 'key_rotate'")
    if said; then [ "$new" = 1 ] || fail "it said that the key was handed over"; fi
    ok "$FL" key rotate --data "$data" ;;
retire)
    if said; then
        ! "$FL" operator begin eva --data "$data" >"$dir.out" 2>&1 || fail "it said that the log was closed"
        grep -q 'closed for good' "$dir.out" || fail "closed, and not said"
    fi
    ok "$FL" key retire --for-good --data "$data"
    [ ! -e "$data/key/log.key" ] && [ ! -e "$data/key/next.key" ] || fail "a key is left"
    ok "$FL" audit --data "$data" --key "$VKEY"
    ok "$FL" db check --data "$data"
    exit 0 ;;
backup)
    if said; then [ -e "$dir/copy.db" ] || fail "it said that there is a copy"; fi
    [ -e "$dir/copy.db" ] || ok "$FL" db backup "$dir/copy.db" --data "$data"
    [ "$(sqlite3 "$dir/copy.db" "PRAGMA integrity_check; SELECT count(*) > 5 FROM leaf" | tr '\n' ' ')" = 'ok 1 ' ] || fail "half a copy" ;;
rebuild)
    works early
    ok "$FL" db rebuild --data "$data" ;;
export)
    if said; then [ -e "$dir/bundle/README" ] || [ -e "$dir/bundle/README.md" ] || fail "it said that there is a bundle"; fi
    [ -n "$(ls "$dir/bundle" 2>/dev/null)" ] || ok "$FL" export --bundle "$dir/bundle" --data "$data"
    ok "$FL" audit "$dir/bundle" --key "$VKEY" ;;
certificate)
    if said; then [ -e "$dir/unit.cert" ] || fail "it said that there is a certificate"; fi
    [ -e "$dir/unit.cert" ] || ok "$FL" certificate "$MAC" -o "$dir/unit.cert" --data "$data"
    ok "$FL" verify "$dir/unit.cert" --key "$VKEY" ;;
web_user|web_user_more)
    if said; then grep -q 'ann\|bob' "$data/web-users" || fail "it said that the user is there"; fi
    ok "$FL" web user --data "$data"
    case $name in *more) grep -q '^user *viewer *ann' "$dir.out" || { cat "$dir.out"; fail "ann is gone"; } ;; esac ;;
migrate)
    for bak in "$data"/flashline.db.v2.bak; do
        [ ! -e "$bak" ] || [ "$(sqlite3 "$bak" 'PRAGMA user_version; SELECT count(*) FROM leaf; PRAGMA integrity_check' | tr '\n' ' ')" = '2 25 ok ' ] ||
            fail "half a copy of the old database"
    done
    # the signer of such a folder has no memory yet
    ok "$FL" key adopt --data "$data" ;;
esac
works late
