#!/bin/sh
# verify.sh KEY FILE: is the record in FILE (a .tlog-proof with the record in its `extra` line) in the log whose verifier
# key is KEY? Needs a shell, openssl (1.1.1 or newer) and coreutils (8.31 or newer). Prints the record and exits 0, or says what
# is wrong and exits 1. Formats: C2SP tlog-proof, tlog-checkpoint, signed-note; tree: RFC 6962.
set -eu
LC_ALL=C
export LC_ALL
bad() { echo "NOT GOOD: $*" >&2; exit 1; }
[ $# = 2 ] || { echo "usage: sh verify.sh KEY FILE" >&2; exit 2; }
key=$1 file=$2
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
unhex() { basenc -d --base16; } # upper-case digits
hex() { basenc --base16 -w0; }
sha() { sha256sum | head -c 64 | tr a-f A-F; }
# base64 into a file; bytes have one spelling only
unb64() { printf %s "$1" | base64 -d >"$2" 2>/dev/null && [ "$(base64 -w0 <"$2")" = "$1" ]; }
nl='
'

# the key: name+id+base64(type 01, 32 bytes); the id is the start of SHA-256(name, newline, type, key)
name=${key%%+*} rest=${key#*+}
id=$(printf %s "${rest%%+*}" | tr a-f A-F)
unb64 "${rest#*+}" "$t/typekey" || bad "the key is not base64"
[ "$(wc -c <"$t/typekey")" -eq 33 ] && [ "$(head -c 1 "$t/typekey" | hex)" = 01 ] || bad "not an Ed25519 verifier key of a log"
want=$({ printf '%s\n' "$name"; cat "$t/typekey"; } | sha | head -c 8)
[ "$id" = "$want" ] || bad "the key's id is not the one of its name and bytes"
{ printf 302A300506032B6570032100 | unhex; tail -c 32 "$t/typekey"; } >"$t/pub.der"

# the file: header, extra, index, path, empty line, signed head
exec 3<"$file"
IFS= read -r line <&3 && [ "$line" = c2sp.org/tlog-proof@v1 ] || bad "no tlog-proof file"
IFS= read -r line <&3
case $line in "extra "*) ;; *) bad "it holds no record" ;; esac
unb64 "${line#extra }" "$t/record" || bad "the record is not base64"
IFS= read -r line <&3
case $line in "index "*) index=${line#index } ;; *) bad "it has no index" ;; esac
path=
while IFS= read -r line <&3 && [ -n "$line" ]; do
    unb64 "$line" "$t/hash" && [ "$(wc -c <"$t/hash")" -eq 32 ] || bad "a hash of the path is not 32 bytes of base64"
    path="$path $(hex <"$t/hash")"
done
IFS= read -r origin <&3 && IFS= read -r size <&3 && IFS= read -r root64 <&3 || bad "it ends before its head"
[ "$origin" = "$name" ] || bad "its head is of the log $origin"
text="$origin$nl$size$nl$root64$nl"
while IFS= read -r line <&3 && [ -n "$line" ]; do text="$text$line$nl"; done
printf %s "$text" >"$t/text"
signed=
while IFS= read -r line <&3; do
    who=${line#— } who=${who%% *}
    [ "$line" = "— $who ${line##* }" ] && unb64 "${line##* }" "$t/sig" && [ "$(wc -c <"$t/sig")" -gt 4 ] || bad "no signature line: $line"
    [ "$who" = "$name" ] && [ "$(head -c 4 "$t/sig" | hex)" = "$id" ] || continue
    [ "$(wc -c <"$t/sig")" -eq 68 ] || bad "the signature has another length"
    tail -c 64 "$t/sig" >"$t/sig64"
    openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$t/pub.der" -sigfile "$t/sig64" -in "$t/text" >/dev/null 2>&1 ||
        bad "the head's signature is not good"
    signed=yes
done
[ -z "$line" ] || bad "the last line does not end: was the file cut?"
[ -n "$signed" ] || bad "the head is not signed by this key"

# the path: from the record's hash to the root (RFC 9162, 2.1.3.2)
for n in "$index" "$size"; do
    case $n in 0 | [1-9]*) ;; *) bad "not a number: $n" ;; esac
    case $n in *[!0-9]* | ???????????????????*) bad "not a number: $n" ;; esac
done
[ "$index" -lt "$size" ] || bad "record $index of $size"
node() { printf '01%s%s' "$1" "$2" | unhex | sha; }
r=$({ printf 00 | unhex; cat "$t/record"; } | sha)
fn=$index sn=$((size - 1))
for p in $path; do
    [ "$sn" -gt 0 ] || bad "the path is too long"
    if [ $((fn % 2)) = 1 ] || [ "$fn" = "$sn" ]; then
        r=$(node "$p" "$r")
        while [ $((fn % 2)) = 0 ] && [ "$fn" != 0 ]; do fn=$((fn / 2)) sn=$((sn / 2)); done
    else
        r=$(node "$r" "$p")
    fi
    fn=$((fn / 2)) sn=$((sn / 2))
done
unb64 "$root64" "$t/hash" || bad "the root is not base64"
root=$(hex <"$t/hash")
[ "$sn" = 0 ] && [ "$r" = "$root" ] || bad "the record is not number $index under that head"
cat "$t/record"
echo
echo "good: record $index of $size in the log $origin" >&2
