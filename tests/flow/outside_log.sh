#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A station's log in the hands of programs that others wrote: Go's sumdb (from Debian, nothing is fetched) checks every
# head, every record's proof and every growth; signify and openssl check the newest signature; jq and the npm package canonicalize
# give the same canonical bytes for every record, and for thousands of made-up ones. What is not installed is left out and named.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
FL_KEEP=$tmp "$B/tests/record/t_tamper" >"$tmp/unit.log" 2>&1 || { cat "$tmp/unit.log"; exit 1; }
fail() { echo "FAILED: $*"; exit 1; }
did=0 left=
db=$tmp/data/flashline.db
vkey=$(cat "$tmp/data/key/log.vkey")
origin=${vkey%%+*}
cp "$tmp/data/checkpoint" "$tmp/checkpoint"
sqlite3 "$db" "SELECT rec FROM record ORDER BY leaf" >"$tmp/records"
sqlite3 "$db" "SELECT size, hex(root), printf('%08x', key) || hex(signature) FROM checkpoint ORDER BY size" |
    while IFS='|' read -r size root sig; do
        echo "$size $(echo "$root" | xxd -r -p | base64 -w0) $(echo "$sig" | xxd -r -p | base64 -w0)"
    done >"$tmp/heads"
[ "$(wc -l <"$tmp/records")" = 17 ] || fail "not 17 records"

# what a person would do with the newest head: text, signature, key as files
sed -n '1,3p' "$tmp/checkpoint" >"$tmp/text"
tail -n 1 "$tmp/checkpoint" | awk '{print $3}' | base64 -d | tail -c 64 >"$tmp/sig"
echo "${vkey#*+*+}" | base64 -d | tail -c 32 >"$tmp/pub"

if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog ]; then
    export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="${GOCACHE:-$PWD/build/gocache}" GOFLAGS= GOPROXY=off CGO_ENABLED=0
    go build -o "$tmp/log" tests/outside/go/log.go
    "$tmp/log" "$vkey" "$tmp" || fail "Go does not accept the log"
    sed '8s/"slot":1/"slot":2/' "$tmp/records" >"$tmp/changed" && mv "$tmp/changed" "$tmp/records.new"
    mv "$tmp/records" "$tmp/records.good" && mv "$tmp/records.new" "$tmp/records"
    ! cmp -s "$tmp/records" "$tmp/records.good" || fail "nothing was changed"
    ! "$tmp/log" "$vkey" "$tmp" >"$tmp/out" || fail "Go accepts a changed record"
    mv "$tmp/records.good" "$tmp/records"
    did=$((did + 1))
else
    left="$left go"
fi

# a second reader of proofs, of other people
if command -v go >/dev/null && [ -d /usr/share/gocode/src/github.com/google/certificate-transparency/go/merkletree ]; then
    go build -o "$tmp/ct" tests/outside/go/ct.go
    "$tmp/ct" "$tmp" || fail "certificate-transparency does not accept the proofs"
    did=$((did + 1))
else
    left="$left golang-github-google-certificate-transparency-dev"
fi

if command -v signify-openbsd >/dev/null; then
    { printf Ed; printf 12345678; cat "$tmp/pub"; } | base64 -w0 >"$tmp/pub64"
    { printf Ed; printf 12345678; cat "$tmp/sig"; } | base64 -w0 >"$tmp/sig64"
    printf 'untrusted comment: log key\n%s\n' "$(cat "$tmp/pub64")" >"$tmp/log.pub"
    printf 'untrusted comment: head\n%s\n' "$(cat "$tmp/sig64")" >"$tmp/text.sig"
    signify-openbsd -V -q -p "$tmp/log.pub" -m "$tmp/text" -x "$tmp/text.sig" || fail "signify does not accept the head"
    sed 's/^17$/18/' "$tmp/text" >"$tmp/text2"
    ! signify-openbsd -V -q -p "$tmp/log.pub" -m "$tmp/text2" -x "$tmp/text.sig" 2>/dev/null || fail "signify accepts a changed head"
    did=$((did + 1))
else
    left="$left signify-openbsd"
fi

# DER of an Ed25519 public key: twelve fixed bytes and the key
{ echo 302a300506032b6570032100 | xxd -r -p; cat "$tmp/pub"; } >"$tmp/pub.der"
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$tmp/pub.der" -sigfile "$tmp/sig" -in "$tmp/text" >/dev/null ||
    fail "openssl does not accept the head"
{ echo "$origin"; echo 18; sed -n 3p "$tmp/text"; } >"$tmp/text2"
! openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$tmp/pub.der" -sigfile "$tmp/sig" -in "$tmp/text2" >/dev/null 2>&1 ||
    fail "openssl accepts a changed head"
# and the private key is one that openssl reads
openssl pkey -in "$tmp/data/key/log.key" -pubout -outform DER 2>/dev/null | cmp - "$tmp/pub.der" || fail "openssl reads another key"

jq -cS . "$tmp/records" | cmp - "$tmp/records" || fail "jq writes a record differently"
if command -v node >/dev/null && [ -e build/npm-outside/.done ]; then
    # RFC 8785 by others (npm canonicalize): each record as stored, and thousands of made-up ones: those in our form, the same spelled
    # otherwise, those that our subset refuses, those that are no JSON
    node --input-type=module -e '
        import canonicalize from "'"$PWD"'/build/npm-outside/node_modules/canonicalize/lib/canonicalize.js"
        import { readFileSync } from "node:fs"
        for (const line of readFileSync(process.argv[1], "utf8").trimEnd().split("\n"))
            if (canonicalize(JSON.parse(line)) !== line) { console.log(line); process.exit(1) }' "$tmp/records" || fail "canonicalize writes a record differently"
    mkdir "$tmp/canon"
    node tests/outside/canon.mjs make "$tmp/canon" 3000 20261122
    FL_CANON=$tmp/canon "$B/tests/audit/t_leaf" >"$tmp/unit.log" 2>&1 || { cat "$tmp/unit.log"; exit 1; }
    node tests/outside/canon.mjs judge "$tmp/canon" || fail "canonicalize and we differ"
    sed 's/^y$/n/' "$tmp/canon/ours" >"$tmp/canon/ours.bad" && mv "$tmp/canon/ours.bad" "$tmp/canon/ours"
    ! node tests/outside/canon.mjs judge "$tmp/canon" >/dev/null || fail "the judge does not look"
    did=$((did + 1))
else
    left="$left node with canonicalize (scripts/fetch-npm tests)"
fi
[ -z "$left" ] || echo "not installed, left out:$left"
[ "$did" -gt 0 ] || { echo "neither go nor signify-openbsd nor node is installed"; exit 77; }
