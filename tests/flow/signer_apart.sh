#!/bin/sh
# The signer as another user's service, and a key in a PKCS#11 token: the station asks, and cannot read.
. tests/flow/lib.sh
demo_images
sim_start fast --boards 1
flash() { "$FL" flash --profile profiles/demo-esp32.yaml --station "$T/fast.yaml" --data "$T/data" "$@"; }

# ---- a service
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    as='setpriv --reuid=65534 --regid=65534 --clear-groups'
else
    as=env
fi
mkdir -m 777 "$T/signer" "$T/run"
chmod 711 "$T"
printf 'correct horse\n' >"$T/signer/passphrase"
chmod 644 "$T/signer/passphrase"
signer_start() {
    CREDENTIALS_DIRECTORY=$T/signer $as "$FL" signer --socket "$T/run/socket" --key "$T/signer/log.key" \
        --memory "$T/signer/memory" --credential passphrase "$@" >"$T/signer.out" 2>"$T/signer.err" &
    SIGNER=$!
    PIDS="$PIDS $SIGNER"
    wait_for "the signer" 60 grep -q ready "$T/signer.out" || { cat "$T/signer.err"; fail "no signer"; }
}
expect_exit 0 $as "$FL" key create --key "$T/signer/log.key" --passphrase-fd 3 3<"$T/signer/passphrase"
[ "$(stat -c %a "$T/signer/log.key")" = 600 ] || fail "the key can be read by others"
signer_start
[ "$(stat -c %a "$T/run/socket")" = 660 ] || fail "the socket is open to all"
expect_exit 0 "$FL" init --data "$T/data" --station line-3 --signer "$T/run/socket"
[ ! -e "$T/data/key/log.key" ] || fail "the station has a key of its own"

expect_exit 2 "$FL" init --data "$T/data2" --signer "$T/run/socket" # it signs for one log
expect_exit 0 flash
expect_exit 0 "$FL" audit --data "$T/data" --key "$(cat "$T/data/key/log.vkey")"
# killed and started again: the socket file it left is no hindrance, its memory is
kill -9 $SIGNER
wait $SIGNER 2>/dev/null || :
expect_exit 3 flash
expect_text "$T/err" 'no signer answers at'
signer_start
expect_exit 0 flash
cp "$T/data/flashline.db" "$T/old.db"
expect_exit 0 flash
rm -f "$T"/data/flashline.db* "$T/data/checkpoint"
cp "$T/old.db" "$T/data/flashline.db"
expect_exit 3 flash
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
echo 5678 >"$T/pin"
echo 9999 >"$T/wrong"
create() { "$FL" key create --key "$T/token.key" --pkcs11 "$module" --token "$1" --object "$2" --passphrase-fd 3 3<"$3"; }
expect_exit 3 create line-3 log-1 "$T/wrong"
expect_text "$T/err" 'PIN does not open'
expect_exit 3 create line-4 log-1 "$T/pin"
expect_text "$T/err" "no token labelled 'line-4'"
expect_exit 3 create line-3 log-2 "$T/pin"
expect_text "$T/err" "no private key labelled 'log-2'"
expect_exit 3 create line-3 other "$T/pin"
expect_exit 0 create line-3 log-1 "$T/pin"
rm -rf "$T/data"
expect_exit 0 "$FL" init --data "$T/data" --station line-3 --key "$T/token.key" --passphrase-fd 3 3<"$T/pin"
expect_exit 0 flash --passphrase-fd 3 3<"$T/pin"
grep -q PRIVATE "$T"/data/key/* && fail "a private key is in the folder"
expect_exit 3 flash
expect_text "$T/err" 'needs its PIN'
expect_exit 0 "$FL" audit --data "$T/data" --key "$(cat "$T/data/key/log.vkey")"
# the newest head by openssl, with the public key from the token
sed -n 1,3p "$T/data/checkpoint" >"$T/text"
tail -n 1 "$T/data/checkpoint" | awk '{print $3}' | base64 -d | tail -c 64 >"$T/sig"
pkcs11-tool --module "$module" --token-label line-3 --login --pin 5678 --read-object --type pubkey --label log-1 -o "$T/pub.raw" >>"$T/token.log" 2>&1
openssl pkey -pubin -in "$T/pub.raw" -outform DER -out "$T/pub.der" 2>/dev/null || cp "$T/pub.raw" "$T/pub.der" # PEM or DER, by version
openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$T/pub.der" -sigfile "$T/sig" -in "$T/text" >/dev/null ||
    fail "openssl does not accept the head"
