#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# init, key show, audit, trace, report summary from the command line: what they print, what they refuse, their exit codes,
# beside a running writer and on a copy nobody may write to.
. tests/flow/lib.sh
FL_KEEP=$T "$B/tests/record/t_tamper" >"$T/unit.log" 2>&1 || { cat "$T/unit.log"; fail "no station to look at"; }
d=$T/data
vkey=$(cat "$d/key/log.vkey")

# ---- init and key show
echo "correct horse" >"$T/pass"
expect_exit 0 sh -c "'$FL' init --station line-3-a --data '$T/new' --passphrase-fd 3 --format json 3<'$T/pass'"
[ "$(jq -r '"\(.station) \(.encrypted)"' "$T/out")" = "line-3-a true" ] || { cat "$T/out"; fail "init"; }
new=$(jq -r .key "$T/out")
expect_exit 0 "$FL" key show --data "$T/new" --format json
[ "$(jq -r .key "$T/out")" = "$new" ] || fail "key show tells another key than init"
[ "$(jq -r .fingerprint "$T/out" | tr -d ' ')" = "$(printf %s "$new" | sha256sum | cut -d' ' -f1)" ] || fail "fingerprint"
expect_exit 0 "$FL" key show --data "$T/new"
expect_text "$T/out" "encrypted"
openssl pkey -in "$T/new/key/log.key" -passin "file:$T/pass" -noout || fail "openssl cannot open the key with the passphrase"
openssl asn1parse -in "$T/new/key/log.key" | grep -q 'INTEGER.*:0927C0' || fail "not 600,000 rounds"
[ "$(stat -c %a "$T/new/key/log.key")" = 600 ] || fail "mode of the key"
expect_exit 2 "$FL" init --station again --data "$T/new" --no-passphrase
expect_text "$T/err" "already"
expect_exit 2 "$FL" init --data "$T/x"
expect_exit 2 "$FL" init --data "$T/x" --no-passphrase --station 'line 3'
expect_exit 2 "$FL" init --data "$T/x" --no-passphrase --origin 'a+b'
[ ! -e "$T/x/flashline.db" ] || fail "a refused init made a database"
expect_exit 0 "$FL" init --data "$T/named" --no-passphrase --station s --origin factory.example/line-3/a/2026
expect_text "$T/out" '^  factory.example/line-3/a/2026\+[0-9a-f]{8}\+'
expect_exit 0 "$FL" audit --data "$T/named"
expect_exit 3 "$FL" key show --data "$T/nowhere"

# ---- audit
expect_exit 0 "$FL" audit --data "$d"
expect_text "$T/out" 'GOOD'
expect_text "$T/out" 'proves less'
expect_exit 0 "$FL" audit --data "$d" --key "$vkey" --head "$d/checkpoint" --format json
[ "$(jq -r '"\(.verdict) \(.own_key) \(.checked.records) \(.head.size) \(.life.interrupted) \(.outside.agreed) \(.first_bad)"' "$T/out")" = \
    "good false 17 17 1 1 null" ] || { cat "$T/out"; fail "audit json"; }
[ "$(jq -r .head.root "$T/out")" = "$(sed -n 3p "$d/checkpoint")" ] || fail "the head's root"
expect_exit 14 "$FL" audit --data "$d" --key "$new" # the key of another log
expect_exit 2 "$FL" audit --data "$d" --key nonsense
expect_exit 2 "$FL" audit --data "$d" --format yaml
expect_exit 2 "$FL" audit "$d" "$d"
expect_exit 3 "$FL" audit --data "$T/nowhere"
expect_exit 3 "$FL" audit --data "$d" --head "$T/nowhere"
cp -r "$d" "$T/bad"
sqlite3 "$T/bad/flashline.db" "DROP TRIGGER leaf_no_update; UPDATE leaf SET rec = CAST(replace(CAST(rec AS TEXT), 'FAIL', 'PASS') AS BLOB) WHERE idx = 7"
expect_exit 10 "$FL" audit --data "$T/bad" --key "$vkey" --format json
[ "$(jq -r '"\(.verdict) \(.first_bad) \(.trusted_head.size) \(.tree_intact)"' "$T/out")" = "changed 7 7 true" ] || { cat "$T/out"; fail "tampered"; }
[ "$(jq -r '[.findings[].class] | unique | join(" ")' "$T/out")" = "changed rows schema" ] || { cat "$T/out"; fail "findings"; }
expect_exit 10 "$FL" audit --data "$T/bad" --key "$vkey"
expect_text "$T/out" 'first bad record +7$'
expect_text "$T/out" 'last trustworthy head +7 records'

# ---- B2: everything in the folder but the signer's memory put back, emptied, taken away. Whoever may read that memory finds it;
# the station does not go on from any of them either, and leaves what it found as evidence
expect_exit 0 "$FL" operator begin eva --data "$T/named"
cp -r "$T/named" "$T/older"
expect_exit 0 "$FL" operator end eva --data "$T/named"
cp "$T/named/checkpoint" "$T/kept.note"
put_back() { # what is done in the folder, what the audit's exit is
    rm -rf "$T/b2" && cp -r "$T/named" "$T/b2"
    (cd "$T/b2" && eval "$1")
    expect_exit "$2" "$FL" audit "$T/b2"
    expect_exit 22 "$FL" audit "$T/b2" --log-only --head "$T/kept.note"
    expect_exit 3 "$FL" operator begin eva --data "$T/b2"
    expect_text "$T/err" 'ROLLBACK: the signer signed a head of'
    expect_exit 3 "$FL" operator begin eva --data "$T/b2"
    [ "$(ls "$T/b2"/incident-*.txt | wc -l)" = 2 ] || { ls "$T/b2"; fail "not the evidence of both, in whatever second they were: $1"; }
}
expect_exit 0 "$FL" audit "$T/named" --format json
[ "$(jq -r '"\(.signer.memory) \(.signer.agrees) \(.signer.size == .head.size)"' "$T/out")" = "told true true" ] || { cat "$T/out"; fail "the signer's memory"; }
put_back "cp '$T/older/flashline.db' '$T/older/checkpoint' ." 22
expect_exit 1 "$FL" db check --data "$T/b2"
expect_exit 22 "$FL" audit "$T/b2"
expect_text "$T/out" "the signer's memory holds a signed head of"
put_back "cp '$T/older/flashline.db' .; rm checkpoint" 22 # the mark taken away with it
# with the memory of its time too nothing in the folder tells, and it is said where there is no memory, or none to be read
rm -rf "$T/b2" && cp -r "$T/older" "$T/b2"
expect_exit 0 "$FL" audit "$T/b2"
expect_exit 22 "$FL" audit "$T/b2" --head "$T/kept.note"
rm "$T/b2/key/memory".*
expect_exit 0 "$FL" audit "$T/b2"
expect_text "$T/out" '^signer +the folder holds no memory'
echo "$T/no-socket" >"$T/b2/key/signer"
expect_exit 0 "$FL" audit "$T/b2"
expect_text "$T/out" '^signer +not asked, .*: no signer answers at'
rm -rf "$T/b2" && cp -r "$T/named" "$T/b2" && rm "$T/b2/checkpoint" && : >"$T/b2/flashline.db"
expect_exit 26 "$FL" audit "$T/b2"
expect_text "$T/out" 'How much of the log itself is whole cannot be told'
expect_exit 3 "$FL" operator begin eva --data "$T/b2"
expect_text "$T/err" 'ROLLBACK: the signer signed a head of'
# the mark taken away: nothing is wrong with the log, and it is said
rm -rf "$T/b2" && cp -r "$T/named" "$T/b2" && rm "$T/b2/checkpoint"
expect_exit 0 "$FL" audit "$T/b2"
expect_text "$T/out" '^mark +the folder has no file .checkpoint.'
rm "$T/b2/flashline.db" && mkfifo "$T/b2/flashline.db" # waited for by nobody
expect_exit 3 "$FL" audit "$T/b2"
expect_text "$T/err" 'is no file'
for what in "ln -s /dev/zero" mkfifo; do # nor read, or copied, for ever
    rm -rf "$T/b2" && cp -r "$T/named" "$T/b2" && rm -f "$T/b2/flashline.db-wal" && $what "$T/b2/flashline.db-wal"
    expect_exit 3 timeout 60 "$FL" audit "$T/b2"
    expect_text "$T/err" 'flashline.db-wal is no file'
    expect_exit 3 timeout 60 "$FL" operator begin eva --data "$T/b2"
    expect_text "$T/err" 'flashline.db-wal is no file'
done

# ---- beside somebody who has the database open and is writing to it
mkfifo "$T/hold"
sqlite3 "$d/flashline.db" <"$T/hold" >/dev/null 2>&1 &
PIDS="$PIDS $!"
exec 9>"$T/hold"
echo "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE not_yet (a);" >&9
wait_for "the writer" 20 test -e "$d/flashline.db-wal"
expect_exit 0 "$FL" audit --data "$d" --key "$vkey"
expect_exit 0 "$FL" report summary --data "$d"
echo "ROLLBACK;" >&9
exec 9>&-

# ---- as an auditor who may read the folder, and not its keys
as='setpriv --reuid=65534 --regid=65534 --clear-groups'
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && chmod 755 "$T" && $as test -x "$FL" && $as test -r "$d/flashline.db"; then
    expect_exit 3 $as "$FL" audit --data "$d"
    expect_text "$T/err" 'Permission denied; the verifier key from paper does as well: --key'
    expect_exit 0 $as "$FL" audit --data "$d" --key "$vkey"
fi

# ---- trace, in any spelling
mac=$(sql "SELECT mac FROM unit_view LIMIT 1")
for m in "$mac" "$(echo "$mac" | tr a-f: A-F-)" "$(echo "$mac" | tr -d :)"; do
    expect_exit 0 "$FL" trace "$m" --data "$d" --format json
    [ "$(jq -r '"\(.mac) \(.attempts|length) \(.attempts[0].outcome) \(.attempts[0].images[0].sha256[0:4])"' "$T/out")" = "$mac 1 PASS cdcd" ] ||
        { cat "$T/out"; fail "trace $m"; }
done
expect_exit 0 "$FL" trace "$mac" --data "$d"
expect_text "$T/out" 'sha256 cdcdcd'
expect_exit 0 "$FL" trace "$mac" --data "$d" --format csv
[ "$(head -n 1 "$T/out" | cut -d, -f1-3)" = leaf,start_leaf,number ] || fail "csv"
expect_exit 2 "$FL" trace 24:6f:28 --data "$d"
expect_exit 2 "$FL" trace --data "$d"
expect_exit 1 "$FL" trace 00:00:00:00:00:01 --data "$d"
expect_text "$T/err" 'never seen|ever seen'
expect_exit 3 "$FL" trace "$mac" --data "$T/nowhere"

# ---- summary
expect_exit 0 "$FL" report summary --data "$d" --format json
[ "$(jq -c '[.attempts,.units,.outcomes.PASS,.outcomes.FAIL,.outcomes.INTERRUPTED,.faults[0].fault,(.slots|length)]' "$T/out")" = \
    '[4,3,2,1,1,"station.died",1]' ] || { cat "$T/out"; fail "summary"; }
expect_exit 0 "$FL" report summary --data "$d"
expect_text "$T/out" 'first-pass yield +33.3 % +1 of 3 units'
expect_exit 3 "$FL" report summary --data "$T/nowhere"
for v in init "key show" audit trace "report summary"; do
    expect_exit 0 "$FL" $v --help
    expect_text "$T/out" 'example:'
done

# ---- a folder whose name is not text: what is printed is, for people and for programs
odd="$T/$(printf 'a\377\033[31mb')"
for f in text json; do
    "$FL" init --station odd --no-passphrase --data "$odd.$f" --format $f >"$T/$f.out"
    for v in audit "db check" "db backup $odd.$f.copy" "db rebuild" "export --bundle $odd.$f.bundle"; do
        "$FL" $v --data "$odd.$f" --format $f >>"$T/$f.out" || fail "$v in a folder with such a name"
    done
done
"$FL" key rotate --data "$odd.text" >>"$T/text.out"
iconv -f UTF-8 -t UTF-8 <"$T/text.out" >/dev/null || fail "what is printed is not UTF-8"
! grep -q "$(printf '\033')" "$T/text.out" || fail "a folder's name speaks to the terminal"
[ "$(grep -c 'a??\[31mb' "$T/text.out")" -ge 6 ] || { cat -v "$T/text.out"; fail "the folder is not named"; }
[ "$(jq -r '.data // .backup // .kept // .bundle' "$T/json.out" | grep -c 'a??\[31mb')" -eq 6 ] || { cat -v "$T/json.out"; fail "the folder in JSON"; }
