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
)
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

# ---- recorded without --ca, and found by the audit that has one
expect_exit 0 "$FL" anchor --url "${url}other" --data "$d"
expect_exit 30 "$FL" audit "$d" --key "$vkey" --ca "$T/tsa/root.pem" --format json
[ "$(jq -r '"\(.verdict) \(.anchors.good) \(.anchors.found)"' "$T/out")" = "token 1 2" ] || { cat "$T/out"; fail "a stranger's stamp"; }
