#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An exported log: checked by flashline, by flashline-verify, by the two scripts that go with it, and by Go's own reader of
# tiles; refused by each when something in it was changed; and the copy that only a head from elsewhere shows to be cut.
. tests/flow/lib.sh
FL_KEEP=$T "$B/tests/record/t_tamper" >"$T/unit.log" 2>&1 || { cat "$T/unit.log"; fail "no station to look at"; }
d=$T/data b=$T/bundle
V=$PWD/$B/flashline-verify
vkey=$(cat "$d/key/log.vkey")
root=$(sed -n 3p "$d/checkpoint")

expect_exit 0 "$FL" export --bundle "$b" --data "$d" --format json
[ "$(jq -r '"\(.records) \(.tiles) \(.heads)"' "$T/out")" = "17 2 $(sql "SELECT count(*) FROM checkpoint")" ] || { cat "$T/out"; fail "export"; }
expect_exit 2 "$FL" export --bundle "$b" --data "$d" # not into one that is there
expect_exit 2 "$FL" export --data "$d"
flock -F "$T/other.making" sleep 60 & # as another export to that name does
OTHER=$!
PIDS="$PIDS $OTHER"
taken() { [ -e "$T/other.making" ] && ! flock -n "$T/other.making" true; }
wait_for "the other export" 10 taken
expect_exit 3 "$FL" export --bundle "$T/other/" --data "$d"
expect_text "$T/err" 'another bundle is being made at'
kill $OTHER
wait $OTHER 2>/dev/null || :
expect_exit 3 "$FL" export --bundle "$T/x" --data "$T/nowhere"
sqlite3 "$d/flashline.db" "SELECT rec FROM record ORDER BY leaf" | cmp - "$b/records.ndjson" || fail "records"
cmp "$d/checkpoint" "$b/checkpoint" || fail "checkpoint"
expect_exit 0 "$FL" certificate 24:6f:28:00:00:02 --data "$d" -o "$T/unit.tlog-proof"

# ---- flashline and flashline-verify
expect_exit 0 "$FL" audit "$b" --key "$vkey" --format json
[ "$(jq -r '"\(.verdict) \(.own_key) \(.checked.records) \(.checked.tiles) \(.head.root) \(.window.first) \(.window.last)"' "$T/out")" = \
    "good false 17 2 $root 0 16" ] || { cat "$T/out"; fail "audit of the bundle"; }
# the records add up, and folder and bundle say so alike
jq .account "$T/out" >"$T/account"
[ "$(jq -r '"\(.certificates) \(.units) \(.more_than_once) \(.endless_attempts)"' "$T/account")" = "2 2 0 0" ] || { cat "$T/account"; fail "account"; }
expect_exit 0 "$FL" audit "$d" --key "$vkey" --format json
jq .account "$T/out" | cmp - "$T/account" || fail "folder and bundle account differently"
expect_exit 0 "$FL" audit "$b"
expect_text "$T/out" 'proves less'
expect_exit 0 "$FL" audit "$b" --key "$vkey" --head "$T/unit.tlog-proof" # a certificate pins the history too
expect_text "$T/out" 'window +none'
expect_exit 0 "$V" "$b" --key "$vkey"
expect_text "$T/out" '^GOOD'
expect_exit 2 "$V" "$b"

# ---- the two scripts, on good things
sh "$b/verify.sh" "$vkey" "$T/unit.tlog-proof" >"$T/rec" 2>"$T/err" || { cat "$T/err"; fail "verify.sh"; }
[ "$(jq -r .mac "$T/rec")" = 24:6f:28:00:00:02 ] || fail "verify.sh prints another record"
(cd "$b" && python3 audit.py "$vkey" records.ndjson checkpoint checkpoints/*.note "$T/unit.tlog-proof") >"$T/out" || { cat "$T/out"; fail "audit.py"; }
expect_text "$T/out" '^good: 17 records'

# ---- and on bad ones
for bad in 's/^index .*/index 4/' '/^extra/s/A/B/' 's/^17$/18/' '$s/ [A-Za-z0-9+\/]\{6\}/ AAAAAA/' '$a— a b' '4s/=$//' '$a\\'; do
    sed "$bad" "$T/unit.tlog-proof" >"$T/bad.tlog-proof"
    cmp -s "$T/bad.tlog-proof" "$T/unit.tlog-proof" && fail "'$bad' changed nothing"
    ! sh "$b/verify.sh" "$vkey" "$T/bad.tlog-proof" >/dev/null 2>"$T/err" || fail "verify.sh accepts: $bad"
    expect_text "$T/err" 'NOT GOOD'
done
! sh "$b/verify.sh" factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 "$T/unit.tlog-proof" >/dev/null 2>&1 || fail "another key"

# another byte than the one at that place, which is a hash's and may be any
spoil_byte() {
    if [ "$(od -An -tu1 -j"$2" -N1 "$1")" -eq 120 ]; then new=y; else new=x; fi
    printf %s "$new" | dd of="$1" seek="$2" bs=1 conv=notrunc 2>/dev/null
}
# name, what is done in the bundle's folder, what flashline says, its exit code, does audit.py see it (0, 1; - not asked)
spoil() {
    name=$1 how=$2 word=$3 code=$4 python=$5
    rm -rf "$T/bad" && cp -r "$b" "$T/bad"
    (cd "$T/bad" && eval "$how")
    ! diff -rq "$b" "$T/bad" >/dev/null || fail "$name changed nothing"
    expect_exit "$code" "$FL" audit "$T/bad" --key "$vkey" --format json
    [ "$(jq -r .verdict "$T/out")" = "$word" ] || { cat "$T/out"; fail "$name"; }
    [ "$python" != - ] || return 0
    rc=0
    (cd "$T/bad" && python3 audit.py "$vkey" records.ndjson checkpoint checkpoints/8.note) >"$T/py" 2>&1 || rc=$?
    [ "$rc" = "$python" ] || { cat "$T/py"; fail "$name: audit.py exits $rc"; }
    [ "$rc" = 0 ] || expect_text "$T/py" 'NOT GOOD'
}
spoil "a word in a record" "sed -i '8s/FAIL/PASS/' records.ndjson" changed 10 1
[ "$(jq -r '"\(.first_bad) \(.trusted_head.size) \(.tree_intact)"' "$T/out")" = "7 7 true" ] || { cat "$T/out"; fail "the tiles tell which record"; }
spoil "a word, and the tiles with it" "sed -i '8s/FAIL/PASS/' records.ndjson; rm -r tile" root 18 1
spoil "a record taken out" "sed -i 7d records.ndjson" order 12 1
spoil "two exchanged" "sed -i -n '5{h;d};6{p;g};p' records.ndjson" order 12 -
spoil "one more" "tail -n 1 records.ndjson >>records.ndjson.new; cat records.ndjson.new >>records.ndjson; rm records.ndjson.new" order 12 1
spoil "the end cut, heads kept" "head -n 11 records.ndjson >r; mv r records.ndjson" missing 11 1
spoil "heads cut" "rm checkpoints/1[2-7].note; cp checkpoints/11.note checkpoint" unsigned 21 -
spoil "a signature" "sed -i '\$s/ [A-Za-z0-9+\\/]\\{20\\}/&/; \$s/.\\{6\\}\$/AAAAAA/' checkpoint checkpoints/17.note" unsigned 21 1
[ "$(jq -r '[.findings[].class] | unique | join(" ")' "$T/out")" = "malformed unsigned" ] || { cat "$T/out"; fail "what is wrong with the newest head"; }
spoil "a signature of the newest head only" "sed -i '\$s/^\(.\{40\}\)A/\1B/;t;\$s/^\(.\{40\}\)./\1A/' checkpoint" signature 19 -
spoil "a signature of its copy only" "sed -i '\$s/^\(.\{40\}\)A/\1B/;t;\$s/^\(.\{40\}\)./\1A/' checkpoints/17.note" signature 19 -
spoil "a root" "sed -i '3{s/^x/y/;t;s/^./x/}' checkpoint checkpoints/17.note" signature 19 -
# the newest head lies there twice: each by itself, and with words that nobody signed
spoil "a root in one of the two" "sed -i '3{s/^x/y/;t;s/^./x/}' checkpoint" signature 19 -
spoil "a line that nobody signed" "sed -i '3a never' checkpoints/8.note" malformed 28 -
spoil "a signature twice" "sed -i '\$p' checkpoint" good 0 0
spoil "another signature by the same key beside it" "tail -n 1 checkpoints/8.note >>checkpoint" malformed 28 1
expect_text "$T/out" 'two different signatures by the key'
spoil "a head that is none, beside good ones" "echo x >checkpoints/8.note" malformed 28 1
[ "$(jq -r '"\(.first_bad) \(.trusted_head.size) \(.tree_intact)"' "$T/out")" = "null 17 true" ] || { cat "$T/out"; fail "a head that is none says nothing about records"; }
spoil "an older head as the newest" "cp checkpoints/8.note checkpoint" malformed 28 1
expect_exit 28 "$FL" audit "$T/bad" --key "$vkey"
expect_text "$T/out" 'checkpoint: it is the head of 8 records, and there is one of 17'
spoil "a head under another's name" "cp checkpoints/9.note checkpoints/8.note" malformed 28 0
spoil "a head in the middle" "sed -i '3{s/^x/y/;t;s/^./x/}' checkpoints/8.note" signature 19 1
[ "$(jq -r '"\(.first_bad) \(.trusted_head.size) \(.tree_intact)"' "$T/out")" = "null 17 true" ] || { cat "$T/out"; fail "a later good head covers its records"; }
expect_exit 19 "$FL" audit "$T/bad" --key "$vkey"
expect_text "$T/out" 'last trustworthy head +17 records'
expect_text "$T/out" 'The records are whole'
spoil "a tile" "spoil_byte tile/0/000.p/17 40" node 17 0
spoil "a tile gone" "rm tile/entries/000.p/17" node 17 -
spoil "the key in the folder" "echo factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 >key" key 20 0
[ "$(jq -r '"\(.first_bad) \(.trusted_head.size)"' "$T/out")" = "null 17" ] || { cat "$T/out"; fail "the key beside the log"; }
spoil "the key taken away" "rm key" key 20 -
spoil "the key in the policy" "sed -i 's/^log .*/log factory.example\/station1+991df877+AQOhB7\/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4/' policy" key 20 -
spoil "a policy that can be read two ways" "echo 'quorum none' >>policy" malformed 28 -
spoil "no policy" "rm policy" malformed 28 -
spoil "a witness of somebody's in the policy" "echo 'witness w qa.example/witness1+dfa888a4+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd' >>policy" key 20 1
expect_text "$T/py" 'is not the policy that record 0 tells'
expect_exit 20 "$FL" audit "$T/bad" --key "$vkey"
expect_text "$T/out" 'the bundle.s file policy is not the one that record 0 tells'
expect_text "$T/out" '^policy +the bundle.s own names 1 witness, 0 of them known here'
# cut with its own older head: a good log, until one newer head comes along
spoil "cut with its heads" "head -n 11 records.ndjson >r; mv r records.ndjson; rm checkpoints/1[2-7].note; cp checkpoints/11.note checkpoint; \
    rm -r tile" node 17 0
expect_exit 22 "$FL" audit "$T/bad" --key "$vkey" --head "$T/unit.tlog-proof"
! (cd "$T/bad" && python3 audit.py "$vkey" records.ndjson checkpoint "$T/unit.tlog-proof") >"$T/py" || fail "audit.py: a newer head"
expect_text "$T/py" 'the last ones are gone'

# ---- Go's reader of tiles: this bundle, and a long log
if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="${GOCACHE:-$PWD/build/gocache}" GOFLAGS= GOPROXY=off CGO_ENABLED=0
    go build -o "$T/tiles" tests/outside/go/tiles.go
    "$T/tiles" "$b" 17 "$root" || fail "Go does not take the bundle's tiles"
    FL_TILES=$T/long "$B/tests/audit/t_tiles" >/dev/null 2>&1 || fail "t_tiles"
    "$T/tiles" "$T/long" 70000 - || fail "Go does not take the tiles of 70,000 leaves"
    spoil_byte "$T/long/tile/1/000" 100
    ! "$T/tiles" "$T/long" 70000 - >/dev/null || fail "Go takes a changed tile"
else
    echo "go is not installed: its reader of tiles left out"
fi
