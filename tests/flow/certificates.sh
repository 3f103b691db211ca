#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Birth certificates from the command line: written, checked by flashline and by flashline-verify, refused when changed; the
# page and its QR code; flashline-verify is built of base and audit alone.
. tests/flow/lib.sh
FL_KEEP=$T "$B/tests/record/t_tamper" >"$T/unit.log" 2>&1 || { cat "$T/unit.log"; fail "no station to look at"; }
d=$T/data
V=$PWD/$B/flashline-verify
vkey=$(cat "$d/key/log.vkey")

expect_exit 0 "$FL" certificate 24-6F-28-00-00-01 --data "$d" -o "$T/1.tlog-proof"
[ "$(head -n 1 "$T/1.tlog-proof")" = c2sp.org/tlog-proof@v1 ] || fail "not a proof file"
[ "$(stat -c %s "$T/1.tlog-proof")" -lt 2000 ] || fail "larger than 2 KB"
# the record in it is the one behind the newest PASS, whole, as stored
sed -n 's/^extra //p' "$T/1.tlog-proof" | base64 -d >"$T/rec"
[ "$(jq -r '"\(.event) \(.mac) \(.outcome)"' "$T/rec")" = "unit_final 24:6f:28:00:00:01 PASS" ] || fail "another record"
n=$(jq .seq "$T/rec")
[ "$(sql "SELECT rec FROM record WHERE leaf = $n")" = "$(cat "$T/rec")" ] || fail "not as stored"
# and it names the attempt in front of it by the hash the tree has for it
[ "$(jq -r .attempt "$T/rec" | base64 -d | xxd -p -c 64)" = "$(sql "SELECT lower(hex(hash)) FROM leaf WHERE idx = $n - 1")" ] || fail "attempt"
[ "$(sql "SELECT event FROM record WHERE leaf = $n - 1")" = attempt_result ] || fail "not behind an attempt"
expect_exit 0 "$FL" certificate 24:6f:28:00:00:02 --data "$d" --format json
jq -j .certificate "$T/out" >"$T/2.tlog-proof"
[ "$(jq .bytes "$T/out")" = "$(stat -c %s "$T/2.tlog-proof")" ] || fail "json"
expect_exit 0 "$FL" certificate --record 7 --data "$d" -o "$T/3.tlog-proof" # a FAIL has a proof, but certifies nobody
expect_exit 1 "$FL" certificate 24:6f:28:00:00:04 --data "$d"
expect_text "$T/err" 'never passed'
expect_exit 1 "$FL" certificate 24:6f:28:00:00:99 --data "$d"
expect_exit 1 "$FL" certificate --record 999 --data "$d"
expect_exit 2 "$FL" certificate 24:6f --data "$d"
expect_exit 2 "$FL" certificate --data "$d"
expect_exit 2 "$FL" certificate --record x --data "$d"
expect_exit 2 "$FL" certificate --record 99999999999999999999 --data "$d" # no clamped number is named
expect_text "$T/err" "needs a number, not '99999999999999999999'"
expect_exit 3 "$FL" certificate 24:6f:28:00:00:01 --data "$T/nowhere"

# ---- the page: the same file, read out of the page by the checkers, and out of the code by its modules
expect_exit 0 "$FL" certificate 24:6f:28:00:00:01 --data "$d" --format html -o "$T/1.html"
expect_text "$T/1.html" '<svg id="qr"'
expect_text "$T/1.html" '<td>24:6f:28:00:00:01</td>'
sed -n '/<pre id="proof">/,/<\/pre>/p' "$T/1.html" | sed 's/<pre id="proof">//; s/<\/pre>//' | head -n -1 | cmp - "$T/1.tlog-proof" || fail "the page holds another file"
! grep -Eq 'src=|href=|http' "$T/1.html" || fail "the page asks for something from outside"

# a page that shows anything else than it proves, by either checker: another outcome, another unit, a word more, another's code
page() { # name, sed script, what is said
    sed "$2" "$T/1.html" >"$T/shown.html"
    ! cmp -s "$T/1.html" "$T/shown.html" || fail "$1 changed nothing"
    for p in "$FL verify" "$V"; do
        expect_exit 28 $p "$T/shown.html" --key "$vkey"
        expect_text "$T/out" "$3"
    done
}
page "another outcome" 's|<td>PASS</td>|<td>FAIL</td>|' "it says '<tr><td>outcome</td><td>FAIL</td></tr>' where '<tr><td>outcome</td><td>PASS"
page "another unit" 's|<td>24:6f:28:00:00:01</td>|<td>24:6f:28:00:00:09</td>|' "it says '<tr><td>unit</td><td>24:6f:28:00:00:09"
page "a word more" 's|<h1>Birth certificate</h1>|& and warranty|' 'does not show what it proves'
page "a style that hides" 's|</style>|td{display:none}&|' 'does not show what it proves'
page "behind the end" '$a<script>1</script>' 'something stands behind its end'
expect_exit 0 "$FL" certificate 24:6f:28:00:00:02 --data "$d" --format html -o "$T/2.html"
grep '<svg' "$T/2.html" >"$T/2.svg"
page "another's code" "/<svg/{r $T/2.svg
d}" 'its QR code holds something else'

# and by a camera: the page as Chromium shows it, read by zbar, gives the file byte for byte, which then verifies
if [ -x /usr/bin/chromium ] && command -v zbarimg >/dev/null; then
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$T/chromium" --force-device-scale-factor=2 \
        --window-size=1200,2400 --screenshot="$T/page.png" "file://$T/1.html" >"$T/chromium.log" 2>&1 || { cat "$T/chromium.log"; fail "no picture"; }
    zbarimg -q --raw --oneshot -Sbinary "$T/page.png" >"$T/seen.tlog-proof" 2>"$T/zbar.log" || { cat "$T/zbar.log"; fail "zbar finds no code"; }
    cmp "$T/seen.tlog-proof" "$T/1.tlog-proof" || fail "the code holds another file"
    expect_exit 0 "$FL" verify "$T/seen.tlog-proof" --key "$vkey"
else
    echo "chromium or zbarimg is not installed: the QR code was not read"
fi

# ---- both checkers say the same
expect_exit 0 "$FL" verify "$T/1.tlog-proof" "$T/2.tlog-proof" "$T/3.tlog-proof" "$T/1.html" "$d/checkpoint" --key "$vkey"
cp "$T/out" "$T/said"
expect_text "$T/out" '5 files, 5 good, 3 different records; 1 signed head$'
expect_exit 0 "$V" "$T/1.tlog-proof" "$T/2.tlog-proof" "$T/3.tlog-proof" "$T/1.html" "$d/checkpoint" "--key=$vkey"
cmp "$T/out" "$T/said" || fail "flashline-verify says something else"
for p in "$FL verify" "$V"; do
    expect_exit 0 $p "$T/1.tlog-proof" "$T/2.tlog-proof" --key "$vkey" --pass
    expect_exit 31 $p "$T/1.tlog-proof" "$T/3.tlog-proof" --key "$vkey" --pass # good, and a FAIL
    expect_text "$T/out" 'NOT GOOD .other.  .*3.tlog-proof: it proves a record attempt_result that is no PASS'
    expect_text "$T/out" '^good  .*1.tlog-proof'
    expect_exit 31 $p "$d/checkpoint" --key "$vkey" --pass
    for bad in 's/^index 5/index 4/' 's/^17$/16/' '/^extra/s/A/B/' '4d' 's/^index 5/index 05/' 's/\/bench-1/\/bench-2/'; do
        [ "$p" = "$V" ] || [ "$bad" = 4d ] || continue # both are one piece of code: the other has its way in tried once
        sed "$bad" "$T/1.tlog-proof" >"$T/bad"
        ! cmp -s "$T/bad" "$T/1.tlog-proof" || fail "'$bad' changed nothing"
        rc=0
        $p "$T/bad" --key "$vkey" --format json >"$T/out" 2>"$T/err" || rc=$?
        [ "$rc" -ge 10 ] || { cat "$T/out"; fail "$p, $bad: exit $rc"; }
        [ "$(jq -r 'select(.type == "file") | .verdict' "$T/out")" != good ] || fail "$p, $bad"
    done
    expect_exit 2 $p "$T/1.tlog-proof"
    expect_text "$T/err" '--key'
    expect_exit 2 $p --key "$vkey"
    expect_exit 2 $p "$T/1.tlog-proof" --key x
    expect_exit 3 $p "$T/nowhere" --key "$vkey"
    expect_exit 20 $p "$T/1.tlog-proof" --key factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
    expect_exit 29 $p "$T/1.tlog-proof" --key "$vkey" --quorum 1
    expect_exit 0 $p --help
    expect_text "$T/out" 'example:'
done


# ---- what it is made of
! nm "$B/flashline-verify" | grep -qi 'sqlite3_\|MHD_\|sp_open\|recorder_open' || fail "flashline-verify holds more than base and audit"
