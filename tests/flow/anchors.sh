#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RFC 3161 timestamps from an authority made of openssl: recorded in the log, checked by the audit and by openssl itself, refused
# when they are of another authority, over other bytes, or garbage. The window they do not cover.
. tests/flow/lib.sh
d=$T/data
expect_exit 0 "$FL" init --station line-3-a --data "$d" --no-passphrase
vkey=$(cat "$d/key/log.vkey")
mkdir "$T/tsa"
(
    cd "$T/tsa"
    key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }
    ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 2 -out "$1.pem" 2>/dev/null; }
    # NAME, its authority, its key usage, extra words for openssl x509
    cert() {
        key "$1"
        printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n' "$3" >ext
        openssl req -new -key "$1.key" -subj "/CN=$1" -out req 2>/dev/null
        openssl x509 -req -in req -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -extfile ext -days 2 -out "$1.pem" 2>/dev/null
        cat >>tsa.cnf <<END
[$1]
serial = serial
signer_cert = $1.pem
certs = $1.pem
signer_key = $1.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
END
    }
    echo 01 >serial
    : >tsa.cnf
    ca root
    ca stranger
    cert tsa root critical,timeStamping
    cert other stranger critical,timeStamping
    # what may not stamp: another use, a use that is not critical, one besides, none at all
    cert server root critical,serverAuth
    cert lax root timeStamping
    cert both root critical,timeStamping,serverAuth
    cert any root critical,timeStamping
    printf 'basicConstraints=CA:FALSE\n' >ext
    openssl x509 -req -in req -CA root.pem -CAkey root.key -extfile ext -days 2 -out any.pem 2>/dev/null
    # and times of one's own: NAME, from, to
    : >index.txt
    printf '[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n' >ca.cnf
    dated() {
        cert "$1" root critical,timeStamping
        openssl ca -batch -notext -config ca.cnf -cert root.pem -keyfile root.key -in req -extfile ext -startdate "$2" -enddate "$3" -out "$1.pem" 2>/dev/null
    }
    dated past 20190101000000Z 20200101000000Z
    dated future 20900101000000Z 20910101000000Z
    openssl req -x509 -new -key root.key -subj /CN=root -set_serial 77 -days 2 -out again.pem 2>/dev/null
    cert soon root critical,timeStamping # its request stays for `soon`
)
soon() { # a certificate that ends in $1 seconds
    (
        cd "$T/tsa"
        end=$(date -u -d "+$1 seconds" +%Y%m%d%H%M%SZ)
        openssl ca -batch -notext -config ca.cnf -cert root.pem -keyfile root.key -in req -extfile ext -startdate 20200101000000Z -enddate "$end" \
            -out soon.pem 2>/dev/null
    )
}
python3 tests/outside/tsa.py "$T/tsa" >"$T/url" 2>"$T/tsa.log" &
PIDS="$PIDS $!"
wait_for "the authority" 20 test -s "$T/url"
url=$(cat "$T/url")

# ---- what is not recorded
leaves=$(sql "SELECT count(*) FROM leaf")
expect_exit 1 "$FL" anchor --url "${url}other" --ca "$T/tsa/root.pem" --data "$d" # wrong authority
expect_text "$T/err" 'not of an authority that is trusted'
expect_exit 1 "$FL" anchor --url "${url}garbage" --ca "$T/tsa/root.pem" --data "$d"
expect_exit 1 "$FL" anchor --url "${url}busy" --ca "$T/tsa/root.pem" --data "$d"
expect_exit 3 "$FL" anchor --url http://127.0.0.1:1/ --ca "$T/tsa/root.pem" --data "$d"
expect_exit 2 "$FL" anchor --url ftp://127.0.0.1:1/ --data "$d"
expect_exit 2 "$FL" anchor --url "$url" --ca "$T/nowhere" --data "$d"
expect_exit 2 "$FL" anchor --data "$d"
refused() { # SECTION, what is said
    expect_exit 1 "$FL" anchor --url "$url$1" --ca "$T/tsa/root.pem" --data "$d"
    expect_text "$T/err" "$2"
}
refused as/server 'not of an authority that is trusted'
refused as/lax 'not of an authority that is trusted'
refused as/both 'not of an authority that is trusted'
refused as/any 'not of an authority that is trusted'
refused past 'certificate has expired'
refused future 'certificate is not yet valid'
refused year/2020/tsa "certificate is not yet valid"
expect_exit 1 "$FL" anchor --url "${url}year/2020/tsa" --data "$d" # nobody looks at who signed it, but at its time
expect_text "$T/err" "clock says 2020-"
[ "$(sql "SELECT count(*) FROM leaf")" = "$leaves" ] || fail "something bad was recorded"

# ---- a good one
size=$(sed -n 2p "$d/checkpoint")
expect_exit 0 "$FL" anchor --url "$url" --ca "$T/tsa/root.pem" --data "$d" --format json
leaf=$(jq .leaf "$T/out")
[ "$(sql "SELECT event FROM record WHERE leaf = $leaf")" = anchor ] || fail "no anchor"
expect_exit 0 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/root.pem" --format json
[ "$(jq -r '"\(.verdict) \(.anchors.good) \(.anchors.size) \(.anchors.ca) \(.window.first)"' "$T/out")" = "good 1 $size true $size" ] ||
    { cat "$T/out"; fail "audit"; }
expect_exit 0 "$FL" audit "$d" --key "$vkey"
expect_text "$T/out" 'Who signed them was not checked'
expect_text "$T/out" 'window +records 0 to' # without the authority's certificate it holds nothing
expect_exit 30 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/stranger.pem"
expect_exit 0 "$FL" export --bundle "$T/bundle" --data "$d"
openssl ts -verify -in "$T/bundle/anchors/$leaf.tsr" -data "$T/bundle/anchors/$leaf.note" -CAfile "$T/tsa/root.pem" >/dev/null 2>&1 ||
    fail "openssl does not take the token"
! openssl ts -verify -in "$T/bundle/anchors/$leaf.tsr" -data "$d/checkpoint" -CAfile "$T/tsa/root.pem" >/dev/null 2>&1 || fail "over another head"
expect_exit 0 "$PWD/$B/flashline-verify" "$T/bundle" --key "$vkey" --ca "$T/tsa/root.pem"
expect_text "$T/out" '1 of 1 timestamps hold'

# ---- the authority's certificate ends: what it stamped before still holds, for us without more, for openssl with -attime
life=4 # seconds; more where the machine was too busy to stamp within them
until soon "$life" && "$FL" anchor --url "${url}soon" --ca "$T/tsa/root.pem" --data "$d" --format json >"$T/out" 2>"$T/err"; do
    life=$((life * 2))
    [ "$life" -le 64 ] || { cat "$T/err"; fail "it could not be stamped in time"; }
done
leaf=$(jq .leaf "$T/out")
wait_for "the end of the certificate" 80 sh -c "! openssl x509 -checkend 0 -noout -in '$T/tsa/soon.pem'"
expect_exit 0 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/root.pem" --format json
[ "$(jq -r '"\(.verdict) \(.anchors.good)"' "$T/out")" = "good 2" ] || { cat "$T/out"; fail "after the end of the certificate"; }
stamped=$(date -d "$(jq -r .anchors.time "$T/out")" +%s)
expect_exit 0 "$FL" export --bundle "$T/bundle2" --data "$d"
by_openssl() {
    openssl ts -verify -in "$T/bundle2/anchors/$leaf.tsr" -data "$T/bundle2/anchors/$leaf.note" -CAfile "$T/tsa/root.pem" "$@" >/dev/null 2>&1
}
! by_openssl || fail "openssl takes a token of a certificate that has ended"
by_openssl -attime "$stamped" || fail "openssl does not take it at its own time"
expect_exit 0 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/again.pem" # the authority's own certificate was renewed, its key kept

# ---- recorded without --ca, and found by the audit that has one
expect_exit 0 "$FL" anchor --url "${url}other" --data "$d"
expect_exit 30 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/root.pem" --format json
[ "$(jq -r '"\(.verdict) \(.anchors.good) \(.anchors.found)"' "$T/out")" = "token 2 3" ] || { cat "$T/out"; fail "a stranger's stamp"; }
# the way of signing anew is not what was refused above: by the one who may stamp it is good
expect_exit 0 "$FL" anchor --url "${url}as/tsa" --ca "$T/tsa/root.pem" --data "$d"

# ---- by itself, beside a line at work: at its start, through the outbox; an authority that is away costs nothing and is asked again
demo_images
sim_start sim --boards 1 --chip esp32
l=$T/line
expect_exit 0 "$FL" init --station line-3-a --data "$l" --no-passphrase
flash() { # URL
    { cat "$T/sim.yaml"; printf 'anchor: {url: "%s", ca: tsa/root.pem}\n' "$1"; } >"$T/station.yaml"
    expect_exit 0 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/station.yaml" --data "$l"
    cp "$T/err" "$T/flash.err"
}
in_line() { sqlite3 "$l/flashline.db" "$1"; }
# a line that ends gives an authority three seconds more; on a machine that is too busy for that the next line has it
until_line() { # URL, what the outbox or the log then say, by which query
    for try in 1 2 3 4 5; do
        in_line "UPDATE outbox SET next_ms = 0"
        flash "$1"
        [ "$(in_line "$3")" != "$2" ] || return 0
    done
    return 1
}
until_line "${url}busy" "anchor 0 1" "SELECT kind || ' ' || state || ' ' || (tries > 0) FROM outbox" || fail "nothing waits in the outbox"
expect_text "$T/flash.err" 'the timestamp authority does not stamp: the authority answers 503'
in_line "UPDATE outbox SET target = '$url', tries = 0" # the same authority, back again
until_line "$url" 1 "SELECT count(*) FROM record WHERE event = 'anchor'" || fail "no anchor was recorded"
[ "$(in_line "SELECT group_concat(state) FROM outbox")" = 1 ] || fail "sent, and not said so"
expect_exit 0 "$FL" audit "$l" --ca "$T/tsa/root.pem" --format json
[ "$(jq -r '"\(.verdict) \(.anchors.good)"' "$T/out")" = "good 1" ] || { cat "$T/out"; fail "audit of the line"; }
flash "$url" # not due again for hours
[ "$(in_line "SELECT count(*) FROM outbox")" = 1 ] || fail "stamped before its time"
in_line "UPDATE outbox SET made_ms = made_ms - 480 * 60000"
until_line "$url" 2 "SELECT count(*) FROM record WHERE event = 'anchor'" || fail "not stamped when it was due"
expect_exit 0 "$FL" audit "$l" --ca "$T/tsa/root.pem"
printf 'anchor: {url: "ftp://x", minutes: 0}\n' >>"$T/sim.yaml"
expect_exit 2 "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/sim.yaml" --data "$l"
expect_text "$T/err" 'anchor.url'
expect_text "$T/err" 'anchor.minutes'
