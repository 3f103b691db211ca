#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A station and a witness: over HTTP with curl and with the station's own client, on a stick with files; the certificate that
# then carries both signatures; and the rewritten log that only the witness shows.
. tests/flow/lib.sh
FL_KEEP=$T "$B/tests/record/t_tamper" >"$T/unit.log" 2>&1 || { cat "$T/unit.log"; fail "no station to look at"; }
d=$T/data w=$T/witness
V=$PWD/$B/flashline-verify
vkey=$(cat "$d/key/log.vkey")

expect_exit 0 "$FL" witness init "$w" --name qa.example/witness1 --format json
wkey=$(jq -r .key "$T/out")
expect_exit 2 "$FL" witness init "$w" --name again
[ "$(stat -c %a "$w/key")" = 600 ] || fail "mode of the witness's key"
expect_exit 3 "$FL" witness "$T/nowhere"

# ---- HTTP
"$FL" witness "$w" --listen 127.0.0.1:0 >"$T/url" 2>"$T/witness.log" &
PIDS="$PIDS $!"
wait_for "the witness" 20 test -s "$T/url"
url=$(cat "$T/url")
expect_exit 1 "$FL" witness push "$url" --key "$wkey" --data "$d" # it does not know this log
expect_text "$T/err" '404'
kill "${PIDS##* }" && wait "${PIDS##* }" || :
expect_exit 0 "$FL" witness trust "$w" "$vkey"
expect_exit 2 "$FL" witness trust "$w" "$vkey"
expect_exit 0 "$FL" init --station line-3-a --data "$T/line" --no-passphrase
lkey=$(cat "$T/line/key/log.vkey")
expect_exit 0 "$FL" witness trust "$w" "$lkey"
: >"$T/url"
"$FL" witness "$w" --listen 127.0.0.1:0 >"$T/url" 2>"$T/witness.log" &
W=$!
PIDS="$PIDS $W"
wait_for "the witness" 20 test -s "$T/url"
url=$(cat "$T/url")
expect_exit 0 "$FL" witness push "$url/" --key "$wkey" --data "$d" --format json
[ "$(jq .size "$T/out")" = 17 ] || fail "push"
expect_exit 0 "$FL" witness push "$url" --key "$wkey" --data "$d" # the same again
expect_exit 2 "$FL" witness push "$url" --key "$vkey" --data "$d"
[ "$(curl -sS "$url/vkey")" = "$wkey" ] || fail "vkey"
hex=$(printf %s "${vkey%%+*}" | sha256sum | cut -d' ' -f1)
curl -sS "$url/$hex/checkpoint" >"$T/kept.note"
expect_exit 0 "$V" "$T/kept.note" --key "$vkey" --key "$wkey" --quorum 1
[ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/nothing")" = 404 ] || fail "GET"
[ "$(curl -sS -o /dev/null -w '%{http_code}' --data-binary x "$url/add-checkpoint")" = 400 ] || fail "400"
[ "$(head -c 20000 /dev/zero | curl -sS -o /dev/null -w '%{http_code}' --data-binary @- "$url/add-checkpoint")" = 413 ] || fail "413"
printf 'old 3\n\n%s\n' "$(cat "$d/checkpoint")" | curl -sS -D "$T/head" --data-binary @- "$url/add-checkpoint" >"$T/body"
expect_text "$T/head" '^HTTP/1.1 409'
expect_text "$T/head" 'text/x.tlog.size'
[ "$(cat "$T/body")" = 17 ] || fail "409"
expect_exit 3 "$FL" witness push http://127.0.0.1:1 --key "$wkey" --data "$d" # nobody there

# ---- by itself, beside a line at work; a witness that is away holds nothing up
expect_exit 0 "$FL" witness init "$T/away" --name qa.example/away --format json
akey=$(jq -r .key "$T/out")
printf 'log %s\nwitness w0 %s http://127.0.0.1:1\nwitness w1 %s %s\nquorum w1\n' "$lkey" "$akey" "$wkey" "$url" >"$T/line/policy"
demo_images
sim_start sim --boards 1 --chip esp32
for try in 1 2 3 4 5; do # a line that ends gives a witness three seconds more, which a busy machine may not have
    expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/line"
    expect_text "$T/err" 'does not sign'
    expect_exit 0 "$FL" audit "$T/line" --key "$lkey" --key "$wkey" --format json
    [ "$(jq '.checked.records - .witness.size' "$T/out")" != 1 ] || break
done
[ "$(jq '.witness.signed > 0' "$T/out")" = true ] || { cat "$T/out"; fail "the line's head was not signed"; }
# all of the line's records but its own closing one: the newest head went out at the end too
[ "$(jq '.checked.records - .witness.size' "$T/out")" = 1 ] || { cat "$T/out"; fail "not the newest head"; }
outbox() { sqlite3 "$T/line/flashline.db" "SELECT group_concat(DISTINCT state), min(tries) > 0 FROM outbox WHERE kind = 'witness' AND target = '$1'"; }
[ "$(outbox qa.example/witness1)" = '1|1' ] || fail "a head that was signed still waits"
[ "$(outbox qa.example/away)" = '0|1' ] || fail "what a witness that is away owes does not wait for it"
[ "$(sqlite3 "$T/line/flashline.db" "SELECT count(*) FROM outbox WHERE target = 'qa.example/away'")" = 1 ] || fail "heads pile up"
# whose word is asked for stands in the log: not when it was opened, then at the next start; and in a bundle that is it
told() {
    expect_exit 0 "$FL" audit "$T/line" --key "$lkey" --format json
    [ "$(jq -r '"\(.policy.times) \(.policy.none) \(.policy.file_same)"' "$T/out")" = "$1" ] || { cat "$T/out"; fail "the policy that the log tells"; }
}
told "2 false true"
[ "$(sqlite3 "$T/line/flashline.db" "SELECT text FROM config_change WHERE what = 'policy'")" = "$(cat "$T/line/policy")" ] || fail "another text"
cp "$T/line/policy" "$T/policy"
sed -i '/^witness w0/d' "$T/line/policy"
told "2 false false"
expect_exit 0 "$FL" audit "$T/line" --key "$lkey"
expect_text "$T/out" 'The folder.s file policy is another'
expect_exit 0 "$FL" export --bundle "$T/lines" --data "$T/line"
cmp "$T/lines/policy" "$T/policy" || fail "a bundle has the policy that the log tells"
expect_exit 0 "$V" "$T/lines" --key "$lkey"
cp "$T/line/policy" "$T/lines/policy"
expect_exit 20 "$V" "$T/lines" --key "$lkey"
expect_text "$T/out" 'file policy is not the one that record [0-9]+ tells: it was exchanged'
cp "$T/policy" "$T/line/policy"
echo 'witness w2 nonsense http://127.0.0.1:1' >>"$T/line/policy"
expect_exit 2 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/line"
# without a policy nobody is asked, and what waited waits for nobody
rm "$T/line/policy"
[ "$(outbox qa.example/away)" = '0|1' ] || fail "what a witness that is away owes is gone"
expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$T/line"
[ "$(outbox qa.example/away)" = '2|1' ] || fail "a head still waits for a witness, and no policy names one"

# ---- what it is good for
expect_exit 0 "$FL" certificate 24:6f:28:00:00:01 --data "$d" -o "$T/1.tlog-proof"
expect_text "$T/1.tlog-proof" '— qa.example/witness1 '
expect_exit 0 "$V" "$T/1.tlog-proof" --key "$vkey" --key "$wkey" --quorum 1
expect_exit 29 "$V" "$T/1.tlog-proof" --key "$vkey" --quorum 1
expect_exit 0 "$FL" audit "$d" --key "$vkey" --key "$wkey" --format json
[ "$(jq -r '"\(.witness.signed) \(.witness.size) \(.window)"' "$T/out")" = "1 17 null" ] || { cat "$T/out"; fail "audit"; }
expect_exit 0 "$FL" audit "$d" --key "$vkey"
expect_text "$T/out" 'their verifier keys'
expect_exit 0 "$FL" export --bundle "$T/bundle" --data "$d"
expect_exit 0 "$V" "$T/bundle" --key "$vkey" --key "$wkey" --quorum 1
expect_text "$T/out" 'window +none'

# ---- whose word is enough: a policy of two, one of whom has not signed yet; then both have, and one certificate says so
expect_exit 0 "$FL" witness init "$T/second" --name qa.example/witness2 --format json
skey=$(jq -r .key "$T/out")
expect_exit 0 "$FL" witness trust "$T/second" "$vkey"
printf '# ours\nlog %s\nwitness one %s\nwitness two %s\ngroup both all one two\nquorum both\n' "$vkey" "$wkey" "$skey" >"$T/both"
sed 's/all one/any one/' "$T/both" >"$T/any"
sed 's/quorum both/quorum nobody/' "$T/both" >"$T/nonsense"
for p in "$FL verify" "$V"; do
    expect_exit 29 $p "$T/1.tlog-proof" --policy "$T/both"
    expect_text "$T/out" 'the quorum both of the policy; of the witnesses whose keys are known 1 signed'
    expect_exit 0 $p "$T/1.tlog-proof" --policy "$T/any"
    expect_exit 2 $p "$T/1.tlog-proof" --policy "$T/nonsense"
    expect_text "$T/err" 'line 6: no witness or group above has the name nobody'
    expect_exit 2 $p "$T/1.tlog-proof" --policy "$T/nowhere"
    expect_exit 29 $p "$T/bundle" --policy "$T/both"
    expect_exit 0 $p "$T/bundle" --policy "$T/any"
done
for what in "$d" "$T/bundle"; do
    expect_exit 29 "$FL" audit "$what" --policy "$T/both"
    expect_text "$T/out" 'witnesses +asked for is the quorum both of the policy: not enough'
    expect_text "$T/out" 'window +records 0 to 16 '
    expect_text "$T/out" 'The log itself is whole'
    expect_exit 29 "$FL" audit "$what" --key "$vkey" --key "$wkey" --key "$skey" --quorum 2
    expect_exit 0 "$FL" audit "$what" --policy "$T/any" --format json
    [ "$(jq -r '"\(.own_key) \(.witness.asked) \(.window)"' "$T/out")" = "false the quorum both of the policy null" ] || { cat "$T/out"; fail "any"; }
    expect_exit 2 "$FL" audit "$what" --policy "$T/nonsense"
done
cp "$T/both" "$d/policy"
expect_exit 0 "$FL" witness offer --data "$d" -o "$T/request"
expect_exit 0 "$FL" witness sign "$T/second" "$T/request" -o "$T/signed"
expect_exit 0 "$FL" witness accept "$T/signed" --key "$skey" --data "$d"
expect_exit 0 "$FL" certificate 24:6f:28:00:00:01 --data "$d" -o "$T/both.tlog-proof"
[ "$(grep -c '^— qa.example/witness[12] ' "$T/both.tlog-proof")" = 2 ] || { cat "$T/both.tlog-proof"; fail "not both lines"; }
expect_exit 0 "$V" "$T/both.tlog-proof" --policy "$T/both"
expect_text "$T/out" '2 witnesses'
expect_exit 0 "$V" "$d/cosigned/quorum.note" --policy "$T/both"
expect_exit 0 "$FL" audit "$d" --policy "$T/both"
expect_text "$T/out" 'witnesses +the quorum both of the policy signed, and hold the first 17 records'
# the page hands out the same file
"$FL" web --data "$d" --listen 127.0.0.1:0 >"$T/page" 2>"$T/web.err" &
PIDS="$PIDS $!"
wait_for "the page" 20 test -s "$T/page"
curl -sS "$(cat "$T/page")api/certificate?leaf=$(sed -n 's/^index //p' "$T/both.tlog-proof")" | cmp - "$T/both.tlog-proof" || fail "the page's certificate"
kill "${PIDS##* }" && wait "${PIDS##* }" || :
rm "$d/policy"

# the folder put back to an earlier state: good by itself, and found out by the head that the witness keeps
older=$(sqlite3 "$d/flashline.db" "SELECT max(size) FROM checkpoint WHERE size < 12")
cp -r "$d" "$T/cut" && rm -r "$T/cut/cosigned" "$T/cut/checkpoint"
sqlite3 "$T/cut/flashline.db" "DROP TRIGGER leaf_no_delete; DROP TRIGGER checkpoint_no_delete; DROP TRIGGER node_no_delete;
    PRAGMA foreign_keys = OFF; DELETE FROM leaf WHERE idx >= $older; DELETE FROM checkpoint WHERE size > $older"
expect_exit 22 "$FL" audit "$T/cut" --log-only --key "$vkey" --head "$T/kept.note"
expect_exit 1 "$FL" witness push "$url" --key "$wkey" --data "$T/cut"
expect_text "$T/err" 'cut or put back'
expect_exit 3 "$FL" witness sign "$w" "$d/checkpoint"
expect_text "$T/err" 'is at work already: ask it over HTTP'
kill "$W" && wait "$W" || :

# ---- on a stick: the same rules, files in place of HTTP
rm -r "$d/cosigned"
expect_exit 0 "$FL" witness offer --data "$d" -o "$T/request"
expect_exit 1 "$FL" witness sign "$w" "$T/request"
expect_text "$T/err" '--old 17'
expect_exit 0 "$FL" witness offer --data "$d" --old 17 -o "$T/request"
expect_exit 0 "$FL" witness sign "$w" "$T/request" -o "$T/signed"
expect_exit 0 "$FL" witness accept "$T/signed" --key "$wkey" --data "$d"
expect_exit 0 "$FL" certificate 24:6f:28:00:00:02 --data "$d"
expect_text "$T/out" '— qa.example/witness1 '
sed 's/^17$/16/' "$T/signed" >"$T/bad"
expect_exit 1 "$FL" witness accept "$T/bad" --key "$wkey" --data "$d"
expect_exit 1 "$FL" witness accept "$d/checkpoint" --key "$wkey" --data "$d"
expect_exit 1 "$FL" witness sign "$w" "$d/checkpoint"
expect_exit 0 "$FL" init --station other --data "$T/other" --no-passphrase # another log's station takes none of it
expect_exit 1 "$FL" witness accept "$T/signed" --key "$wkey" --data "$T/other"
for v in witness "witness init" "witness trust" "witness sign" "witness offer" "witness accept" "witness push" anchor export; do
    expect_exit 0 "$FL" $v --help
    expect_text "$T/out" 'example:'
done
