#!/bin/sh
# One key after another: promised, handed over with both signatures, found in its range by the auditor; kept elsewhere
# meanwhile; retired. And a memory that was lost is adopted by a person, not by itself.
. tests/flow/lib.sh
demo_images
sim_start fast --boards 1
flash() { "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/fast.yaml" --data "$T/data"; }
with() { "$@" --data "$T/data"; }
expect_exit 0 with "$FL" init --station line-3 --no-passphrase
first=$(cat "$T/data/key/log.vkey")
expect_text "$T/out" '^The key after it is .*/key/next.key: keep it away'
expect_exit 0 with "$FL" key show
expect_text "$T/out" '^signing key +not encrypted$'
[ "$(sql "SELECT json_extract(rec, '$.next') FROM record WHERE leaf = 0")" = \
    "$(cut -d+ -f3- "$T/data/key/next.vkey" | base64 -d | tail -c 32 | openssl dgst -sha256 -r | cut -d' ' -f1)" ] ||
    fail "the log does not promise the next key"
expect_exit 0 flash

# not the key that was promised
mkdir "$T/stick"
mv "$T/data/key/next.key" "$T/stick/next.key"
expect_exit 0 "$FL" key create --key "$T/stick/other.key" --no-passphrase
expect_exit 3 with "$FL" key rotate --next "$T/stick/other.key"
expect_text "$T/err" 'not the key that the log promised'
cp "$T/stick/other.key" "$T/data/key/next.key" # nor by putting it there
expect_exit 3 with "$FL" key rotate
expect_text "$T/err" "signer's next key is not the one"
expect_exit 0 flash
expect_exit 0 with "$FL" key rotate --next "$T/stick/next.key"
second=$(sed -n 's/^new key *//p' "$T/out")
[ "$first" != "$second" ] || fail "it is still the same key"
[ "$(sql "SELECT count(*) || ' ' || (SELECT count(DISTINCT key) FROM checkpoint) FROM handover")" = '1 2' ] || fail "no hand-over"
expect_exit 0 flash
expect_exit 0 with "$FL" key rotate
third=$(sed -n 's/^new key *//p' "$T/out")
expect_exit 0 flash
expect_exit 0 with "$FL" key show --format json
[ "$(jq -r '"\(.key) \(.now)"' "$T/out")" = "$first $third" ] || fail "which key signs now is not told"

# a witness that knows the keys of today signs on; what it signed is kept, found by an audit, and agrees with the next start
expect_exit 0 "$FL" witness init "$T/witness" --name qa.example/w --format json
wkey=$(jq -r .key "$T/out")
for key in "$first" "$third"; do expect_exit 0 "$FL" witness trust "$T/witness" "$key"; done
expect_exit 0 with "$FL" witness offer -o "$T/request"
expect_exit 0 "$FL" witness sign "$T/witness" "$T/request" -o "$T/signed"
expect_exit 0 with "$FL" witness accept "$T/signed" --key "$wkey"
expect_exit 0 "$FL" audit --data "$T/data" --key "$second" --key "$wkey" --format json
[ "$(jq -r '"\(.witness.signed) \(.checked.records - .witness.size)"' "$T/out")" = '1 0' ] || { cat "$T/out"; fail "the witness's head under the third key"; }
expect_exit 0 flash

# whoever gets the log as a bundle checks it with any of the keys, by the scripts in it too; and with no head at which one is missing
expect_exit 0 with "$FL" export --bundle "$T/bundle"
py() { (cd "$T/bundle" && python3 audit.py "$1" records.ndjson checkpoint checkpoints/*.note witness/*.note) >"$T/py"; }
for key in "$first" "$second" "$third"; do
    expect_exit 0 "$B/flashline-verify" "$T/bundle" --key "$key"
    py "$key" || { cat "$T/py"; fail "audit.py after two hand-overs"; }
done
expect_text "$T/py" '3 keys one after another'
! py "${first%%+*}+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4" || fail "audit.py takes a key that this log never had"
handed=$(sql "SELECT max(size) FROM handover")
cp "$T/bundle/checkpoints/$handed.note" "$T/both.note"
sed -i '$d' "$T/bundle/checkpoints/$handed.note"
! py "$first" || fail "audit.py: a hand-over that the new key did not sign"
expect_text "$T/py" 'no head of .* that both keys signed'
sed 5d "$T/both.note" >"$T/bundle/checkpoints/$handed.note"
! py "$first" || fail "audit.py: a hand-over that the old key did not sign"
for key in "$first" "$second" "$third"; do
    expect_exit 0 "$FL" audit --data "$T/data" --log-only --key "$key"
done
expect_text "$T/out" 'keys +3'
expect_exit 0 "$FL" audit --data "$T/data" --format json
[ "$(jq -r '.keys | length' "$T/out")" = 3 ] || fail "three keys are not told"
ls "$T/data/key" | grep -v '^memory[.][a-p]$' | tr '\n' ' ' | grep -qx 'log.key log.vkey next.key next.vkey ' || { ls "$T/data/key"; fail "files are left over"; }

# what a crash left between the commit and the files in their places
cp -r "$T/data" "$T/torn"
expect_exit 0 with "$FL" key rotate
cp "$T/torn/key/log.key" "$T/data/key/log.key.old"
mv "$T/data/key/next.key" "$T/data/key/after.key" && mv "$T/data/key/next.vkey" "$T/data/key/after.vkey"
mv "$T/data/key/log.key" "$T/data/key/next.key" && mv "$T/data/key/log.key.old" "$T/data/key/log.key"
cp "$T/torn/key/next.vkey" "$T/data/key/next.vkey"
expect_exit 0 flash
[ ! -e "$T/data/key/after.key" ] || fail "the files were not put in their places"
expect_exit 0 with "$FL" key rotate
expect_exit 0 "$FL" audit --data "$T/data" --key "$first"

# a signer that has forgotten, and a person who vouches
rm "$T"/data/key/memory.*
expect_exit 3 flash
expect_exit 0 with "$FL" key adopt
expect_exit 0 flash

# closed for good
expect_exit 2 with "$FL" key retire
cp -r "$T/data" "$T/cut"
expect_exit 0 with "$FL" key retire --for-good
expect_exit 3 flash
expect_text "$T/err" 'closed for good'
expect_exit 0 with "$FL" key show
expect_text "$T/out" '^signing key +not here: .*log.key is gone'
expect_exit 0 "$FL" audit --data "$T/data" --key "$first"
[ ! -e "$T/data/key/log.key" ] && [ ! -e "$T/data/key/next.key" ] || fail "a key is left"

# the next log names it, and leads an auditor back to it with the new key alone
follow() { "$FL" init --data "$1" --station line-3 --no-passphrase --previous "$2"; }
expect_exit 3 follow "$T/none" "$T/nowhere"
[ ! -e "$T/none/flashline.db" ] || fail "a log that follows nothing was begun"
expect_exit 0 follow "$T/second" "$T/data"
[ ! -s "$T/err" ] || { cat "$T/err"; fail "a closed log is warned about"; }
[ "$(sqlite3 "$T/second/flashline.db" "SELECT json_extract(rec, '$.previous.checkpoint') FROM record WHERE leaf = 0")" = "$(cat "$T/data/checkpoint")" ] ||
    fail "the first record does not hold the last head"
key=$(cat "$T/second/key/log.vkey")
expect_exit 0 "$FL" audit --data "$T/second" --key "$key"
expect_text "$T/out" 'That log was not looked at'
expect_exit 0 "$FL" audit --data "$T/second" --key "$key" --previous "$T/data"
expect_text "$T/out" 'leads to that head'
expect_exit 0 "$FL" audit --data "$T/second" --key "$key" --previous "$T/data" --format json
[ "$(jq -r '"\(.previous.verdict) \(.previous.now)"' "$T/out")" = 'good good' ] || fail "JSON"
# an older state of it, another log in its place
expect_exit 22 "$FL" audit --data "$T/second" --key "$key" --previous "$T/cut"
expect_text "$T/out" 'It is NOT GOOD now \(rollback\)'
expect_exit 3 "$FL" audit --data "$T/data" --key "$first" --previous "$T/torn" # names none
expect_exit 0 follow "$T/third" "$T/second"
expect_text "$T/err" 'not closed for good'
if "$FL" audit --data "$T/second" --previous "$T/third" >"$T/out" 2>&1; then fail "another log passes as the one in front"; fi
# a log that does not verify is why a new one is begun: both heads are in its first record
mkdir "$T/bad"
cp -r "$T/cut/." "$T/bad"
cp "$T/data/checkpoint" "$T/bad/checkpoint" # a newer head: it was put back
expect_exit 0 follow "$T/after" "$T/bad"
[ "$(sqlite3 "$T/after/flashline.db" "SELECT json_extract(rec, '$.previous.verdict') || (json_extract(rec, '$.previous.elsewhere') IS NOT NULL) FROM record WHERE leaf = 0")" = rollback1 ] ||
    fail "the incident is not in the first record"
expect_exit 0 "$FL" audit --data "$T/after"
expect_text "$T/out" 'was rollback then'
