#!/bin/sh
# The signer as another user's service, and a key in a PKCS#11 token: the station asks, and cannot read.
. tests/flow/lib.sh
demo_images
sim_start fast --boards 1
flash() { "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/fast.yaml" --data "$T/data" "$@"; }
grow() { "$FL" operator begin eva --data "$T/data" "$@"; } # a record, without a board

# ---- a service
as='setpriv --reuid=65534 --regid=65534 --clear-groups'
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
    as=env
elif ! $as "$FL" --version >/dev/null 2>&1; then
    echo "another user cannot run $FL: the signer runs as this one" # a checkout in a home that is closed to others
    as=env
fi
mkdir -m 777 "$T/signer" "$T/run"
chmod 711 "$T"
printf 'correct horse\n' >"$T/signer/passphrase"
chmod 644 "$T/signer/passphrase"
signer_start() {
    : >"$T/signer.out" # or the last one's "ready" is taken for this one's
    CREDENTIALS_DIRECTORY=$T/signer $as "$FL" signer --socket "$T/run/socket" --key "$T/signer/log.key" \
        --memory "$T/signer/memory" --credential passphrase "$@" >"$T/signer.out" 2>"$T/signer.err" &
    SIGNER=$!
    PIDS="$PIDS $SIGNER"
    wait_for "the signer" 60 grep -q ready "$T/signer.out" || { cat "$T/signer.err"; fail "no signer"; }
}
key_create() { expect_exit 0 $as "$FL" key create --key "$T/signer/$1.key" --passphrase-fd 3 3<"$T/signer/passphrase" && cp "$T/out" "$T/$1.pub"; }
key_create log
key_create next
key_create third
[ "$(stat -c %a "$T/signer/log.key")" = 600 ] || fail "the key can be read by others"
signer_start
[ "$(stat -c %a "$T/run/socket")" = 660 ] || fail "the socket is open to all"
expect_exit 2 "$FL" init --data "$T/data" --station line-3 --signer "$T/run/socket" --then "$T/log.pub" # promises itself
expect_exit 2 "$FL" init --data "$T/data" --station line-3 --signer "$T/run/socket" --then "$T/signer/passphrase"
expect_exit 0 "$FL" init --data "$T/data" --station line-3 --signer "$T/run/socket" --then "$T/next.pub"
first=$(cat "$T/data/key/log.vkey")
[ "$(sql "SELECT json_extract(rec, '$.next') FROM record WHERE leaf = 0")" = "$(sed -n 's/^SHA-256 *//p' "$T/next.pub")" ] ||
    fail "the log does not promise the next key"
[ ! -e "$T/data/key/log.key" ] || fail "the station has a key of its own"

expect_exit 2 "$FL" init --data "$T/data2" --signer "$T/run/socket" # it signs for one log
expect_exit 0 flash
expect_exit 0 "$FL" audit --data "$T/data" --key "$(cat "$T/data/key/log.vkey")"
expect_text "$T/out" '^signer +its memory agrees' # it was asked: the auditor need not be able to read its files
# killed and started again: the socket file it left is no hindrance, its memory is
kill -9 $SIGNER
wait $SIGNER 2>/dev/null || :
expect_exit 3 grow
expect_text "$T/err" 'no signer answers at'
signer_start
expect_exit 0 grow

# one key after another, both with the other user: promised, signed by both, each held to its range
signer_stop() { kill $SIGNER && wait $SIGNER || fail "the signer did not end in order"; }
rotate() { "$FL" key rotate --data "$T/data" "$@"; }
expect_exit 2 rotate
expect_text "$T/err" 'say which it is with --then'
expect_exit 3 rotate --then "$T/third.pub"
expect_text "$T/err" 'started without the next key'
signer_stop
signer_start --next "$T/signer/third.key" # not the one that was promised
expect_exit 3 rotate --then "$T/third.pub"
expect_text "$T/err" "next key is not the one"
signer_stop
signer_start --next "$T/signer/next.key"
expect_exit 2 rotate --then "$T/next.pub"
expect_exit 0 rotate --then "$(sed -n 's/^public key *//p' "$T/third.pub")"
second=$(sed -n 's/^new key *//p' "$T/out")
[ "$(sql 'SELECT count(*) FROM handover')" = 1 ] || fail "the head is not signed by both"
expect_exit 0 flash # the same signer goes on with the new key
signer_stop
mv "$T/signer/log.key" "$T/signer/old.key"
cp -p "$T/signer/next.key" "$T/signer/log.key"
signer_start --next "$T/signer/third.key"
expect_exit 0 grow
expect_exit 0 rotate --then "$T/log.pub"
expect_exit 0 grow
for key in "$first" "$second"; do
    expect_exit 0 "$FL" audit --data "$T/data" --log-only --key "$key"
    expect_text "$T/out" 'keys +3'
done
# the old key cannot come back
signer_stop
mv "$T/signer/log.key" "$T/signer/second.key"
cp -p "$T/signer/old.key" "$T/signer/log.key"
! $as "$FL" signer --socket "$T/run/socket" --key "$T/signer/log.key" --memory "$T/signer/memory" --passphrase-fd 3 3<"$T/signer/passphrase" \
    >/dev/null 2>"$T/err" || fail "the signer works with the key of the past"
expect_text "$T/err" 'not the one that this signer'
cp -p "$T/signer/third.key" "$T/signer/log.key"
signer_start

cp "$T/data/flashline.db" "$T/old.db"
expect_exit 0 grow
rm -f "$T"/data/flashline.db* "$T/data/checkpoint"
cp "$T/old.db" "$T/data/flashline.db"
expect_exit 3 grow
expect_text "$T/err" 'ROLLBACK'
kill $SIGNER
wait $SIGNER || fail "the signer did not end in order"
[ ! -e "$T/run/socket" ] || fail "the socket is left"

# ---- a token
module=$(ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so 2>/dev/null | head -n 1)
[ -n "$module" ] && command -v pkcs11-tool >/dev/null && command -v softhsm2-util >/dev/null || skip "the service works; no softhsm2 and opensc here for the token"
mkdir "$T/tokens"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$T/tokens" >"$T/softhsm2.conf"
export SOFTHSM2_CONF="$T/softhsm2.conf"
# the token's library is not ours: what it leaves unfreed at its end is not looked for
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
softhsm2-util --init-token --free --label line-3 --so-pin 1234 --pin 5678 >"$T/token.log" 2>&1 || { cat "$T/token.log"; fail "no token"; }
pkcs11-tool --module "$module" --token-label line-3 --login --pin 5678 --keypairgen --key-type EC:edwards25519 --label log-1 \
    >>"$T/token.log" 2>&1 || { cat "$T/token.log"; fail "no pair in the token"; }
pkcs11-tool --module "$module" --token-label line-3 --login --pin 5678 --keypairgen --key-type EC:prime256v1 --label other \
    >>"$T/token.log" 2>&1 || { cat "$T/token.log"; fail "no pair in the token"; }
pkcs11-tool --module "$module" --token-label line-3 --login --pin 5678 --keypairgen --key-type EC:edwards25519 --label log-2 \
    >>"$T/token.log" 2>&1 || { cat "$T/token.log"; fail "no second pair in the token"; }
echo 5678 >"$T/pin"
echo 9999 >"$T/wrong"
create() { "$FL" key create --key "$T/token.key" --pkcs11 "$module" --token "$1" --object "$2" --passphrase-fd 3 3<"$3"; }
expect_exit 3 create line-3 log-1 "$T/wrong"
expect_text "$T/err" 'PIN does not open'
expect_exit 3 create line-4 log-1 "$T/pin"
expect_text "$T/err" "no token labelled 'line-4'"
expect_exit 3 create line-3 log-9 "$T/pin"
expect_text "$T/err" "no private key labelled 'log-9'"
expect_exit 3 create line-3 other "$T/pin"
expect_exit 0 create line-3 log-1 "$T/pin"
mv "$T/token.key" "$T/token1.key"
expect_exit 0 create line-3 log-2 "$T/pin"
mv "$T/token.key" "$T/token2.key"
cp "$T/out" "$T/token2.pub"
rm -rf "$T/data"
expect_exit 0 "$FL" init --data "$T/data" --station line-3 --key "$T/token1.key" --then "$T/token2.pub" --passphrase-fd 3 3<"$T/pin"
expect_exit 0 flash --passphrase-fd 3 3<"$T/pin"
grep -q PRIVATE "$T"/data/key/* && fail "a private key is in the folder"
expect_exit 3 grow
expect_text "$T/err" 'needs its PIN'
expect_exit 0 "$FL" audit --data "$T/data" --key "$(cat "$T/data/key/log.vkey")"
# the newest head by openssl, with the public key from the token
sed -n 1,3p "$T/data/checkpoint" >"$T/text"
tail -n 1 "$T/data/checkpoint" | awk '{print $3}' | base64 -d | tail -c 64 >"$T/sig"
pkcs11-tool --module "$module" --token-label line-3 --login --pin 5678 --read-object --type pubkey --label log-1 -o "$T/pub.raw" >>"$T/token.log" 2>&1
openssl pkey -pubin -in "$T/pub.raw" -outform DER -out "$T/pub.der" 2>/dev/null || cp "$T/pub.raw" "$T/pub.der" # PEM or DER, by version
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$T/pub.der" -sigfile "$T/sig" -in "$T/text" >/dev/null ||
    fail "openssl does not accept the head"
# handed over inside the token, then closed for good
first=$(cat "$T/data/key/log.vkey")
expect_exit 2 rotate --next "$T/token2.key" --passphrase-fd 3 3<"$T/pin"
expect_text "$T/err" 'lies in a token'
expect_exit 0 rotate --next "$T/token2.key" --then "$T/third.pub" --passphrase-fd 3 3<"$T/pin"
expect_text "$T/data/key/log.key" '^object log-2$'
expect_exit 0 grow --passphrase-fd 3 3<"$T/pin"
expect_exit 0 "$FL" key retire --for-good --data "$T/data" --passphrase-fd 3 3<"$T/pin"
expect_exit 0 "$FL" audit --data "$T/data" --key "$first"
expect_text "$T/out" 'keys +2'
expect_text "$T/out" 'closed for good'
