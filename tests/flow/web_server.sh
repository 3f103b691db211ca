#!/bin/sh
# The server from outside, with curl: the verbs web, web user and status; HTTPS; roles; metrics by promtool; bad addresses.
set -eu
command -v curl >/dev/null || { echo "curl is not installed"; exit 77; }
tmp=$(mktemp -d)
pids=
trap 'exit 1' INT TERM HUP
trap 'kill $pids 2>/dev/null || :; rm -rf "$tmp"' EXIT
fl=$B/flashline
fail() { echo "FAILED: $*"; cat "$tmp"/*.err 2>/dev/null || :; exit 1; }
expect() { # exit code, command
    want=$1
    shift
    rc=0
    "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
    [ "$rc" = "$want" ] || { cat "$tmp/out" "$tmp/err"; fail "exit $rc, expected $want: $*"; }
}
is() { # expected, got, what
    [ "$1" = "$2" ] || fail "$3: expected '$1', got '$2'"
}
code() { curl -s -o "$tmp/body" -w '%{http_code}' "$@"; }
serve() { # ADDRESS, arguments of `web`; sets url
    : >"$tmp/url"
    "$fl" web --data "$tmp/data" --listen "$@" >"$tmp/url" 2>"$tmp/web.err" & pids="$pids $!" last=$!
    i=0
    until [ -s "$tmp/url" ]; do
        i=$((i + 1))
        [ $i -le 200 ] && kill -0 "$last" 2>/dev/null || fail "the server did not start"
        sleep 0.1
    done
    url=$(cat "$tmp/url")
}

echo "a station with one record, and none at all"
expect 3 "$fl" status --data "$tmp/none"
"$fl" init --no-passphrase --station bench-1 --data "$tmp/data" >/dev/null
expect 0 "$fl" status --data "$tmp/data" --format json
is bench-1 "$(jq -r .log.station "$tmp/out")" "status"
cp "$tmp/out" "$tmp/status"
expect 0 "$fl" status --data "$tmp/data" --json
cmp -s "$tmp/out" "$tmp/status" || fail "--json is not --format json"
expect 2 "$fl" status --data "$tmp/data" --format xml

echo "on loopback without logging in"
serve 127.0.0.1:0
is 200 "$(code "$url")" "the board"
is 200 "$(code "${url}api/log")" "the log"
is bench-1 "$(jq -r .station "$tmp/body")" "the log's station"
is 200 "$(code "${url}api/head")" "the head"
is 200 "$(code "${url}api/certificate?leaf=0")" "a certificate"
is "c2sp.org/tlog-proof@v1" "$(head -n 1 "$tmp/body")" "its first line"
for q in 'certificate' 'certificate?leaf=-1' 'certificate?leaf=99999999999999999999' 'course?hours=x' 'course?steps=0' \
    'course?hours=999999' 'units?q=zz' 'unit?mac=nonsense'; do
    is 400 "$(code "${url}api/$q")" "$q"
done
is 404 "$(code "${url}api/certificate?leaf=999")" "a record that is not there"
is 404 "$(code "${url}api/unit?mac=24:6f:28:00:00:00")" "a unit that is not there"
is 200 "$(code "${url}api/course?hours=0&steps=3")" "a course of nothing"
if command -v promtool >/dev/null; then
    curl -s "${url}metrics" | promtool check metrics || fail "promtool"
else
    echo "promtool is not installed: metrics unchecked"
fi
is 304 "$(code -H "If-None-Match: $(curl -sI "${url}assets/style.css" | tr -d '\r' | sed -n 's/^ETag: //p')" "${url}assets/style.css")" "a page that is there already"
echo "only GET, HEAD and the two POSTs; nothing changes the records"
before=$(sha256sum "$tmp/data/flashline.db" | cut -d' ' -f1)
for m in PUT DELETE PATCH OPTIONS TRACE; do is 405 "$(code -X $m "${url}api/log")" "$m"; done
is "$before" "$(sha256sum "$tmp/data/flashline.db" | cut -d' ' -f1)" "the database"
kill "$last"
wait "$last" || fail "the server ended with $?"

echo "addresses and certificates that do not go"
expect 2 "$fl" web --data "$tmp/data" --listen 0.0.0.0:0
grep -q 'flashline web user' "$tmp/err" || fail "it does not say what to do"
expect 2 "$fl" web --data "$tmp/data" --listen nonsense
expect 2 "$fl" web --data "$tmp/data" --listen 127.0.0.1:0 --cert /etc/hostname
expect 3 "$fl" web --data "$tmp/data" --listen 127.0.0.1:0 --cert "$tmp/nothing" --key "$tmp/nothing"

echo "users"
printf short >"$tmp/short"
printf 'long enough' >"$tmp/long"
expect 2 "$fl" web user ann --role viewer --password-fd 3 --data "$tmp/data" 3<"$tmp/short"
expect 2 "$fl" web user ann --role boss --password-fd 3 --data "$tmp/data" 3<"$tmp/long"
expect 2 "$fl" web user 'a b' --role viewer --password-fd 3 --data "$tmp/data" 3<"$tmp/long"
expect 0 "$fl" web user ann --role engineer --password-fd 3 --data "$tmp/data" 3<"$tmp/long"
expect 0 "$fl" web user prom --role viewer --token --data "$tmp/data"
token=$(cat "$tmp/out")
is 64 "${#token}" "the token's length"
is 600 "$(stat -c %a "$tmp/data/web-users")" "the file's mode"
grep -q "long enough\|$token" "$tmp/data/web-users" && fail "a secret is in the file"
expect 0 "$fl" web user --data "$tmp/data" --format json
is 2 "$(jq length "$tmp/out")" "the list"
if command -v node >/dev/null; then # another implementation of scrypt
    set -- $(grep '^user ann' "$tmp/data/web-users")
    is "$9" "$(node -e 'const [n,r,p,s]=process.argv.slice(1);console.log(require("crypto").scryptSync("long enough",Buffer.from(s,"hex"),32,{N:2**n,r:+r,p:+p,maxmem:2**28}).toString("hex"))' "$5" "$6" "$7" "$8")" "the hash"
fi

echo "on another address without a certificate: it works, and says what that means"
serve 0.0.0.0:0
grep -q 'readable' "$tmp/web.err" || fail "no word about passwords in the clear"
is 303 "$(code "$(echo "$url" | sed 's/0\.0\.0\.0/127.0.0.1/')")" "the board without a login there"
kill "$last"
wait "$last" || fail "the server ended with $?"

echo "with a login, over HTTPS"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/key.pem" -out "$tmp/cert.pem" -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
serve 127.0.0.1:0 --login --cert "$tmp/cert.pem" --key "$tmp/key.pem"
case $url in https://*) ;; *) fail "$url is not https" ;; esac
c="--cacert $tmp/cert.pem"
# shellcheck disable=SC2086 # options
{
    is 303 "$(code $c "$url")" "the board without a login"
    is 401 "$(code $c "${url}metrics")" "metrics without a token"
    is 200 "$(code $c -H "Authorization: Bearer $token" "${url}metrics")" "metrics with one"
    is 403 "$(code $c -H "Authorization: Bearer $token" "${url}api/course")" "statistics for a viewer"
    is 200 "$(code $c -c "$tmp/jar" -H 'Content-Type: application/json' -d '{"name":"ann","password":"long enough"}' "${url}api/login")" "logging in"
    grep -q 'TRUE.*fl_session' "$tmp/jar" || fail "the cookie is not Secure"
    csrf=$(jq -r .csrf "$tmp/body")
    is 200 "$(code $c -b "$tmp/jar" "${url}api/course")" "statistics for an engineer"
    is 403 "$(code $c -b "$tmp/jar" -H 'Content-Type: application/json' -d '{}' "${url}api/logout")" "logging out without the session's token"
    is 200 "$(code $c -b "$tmp/jar" -H 'Content-Type: application/json' -H "X-CSRF: $csrf" -d '{}' "${url}api/logout")" "logging out"
    is 401 "$(code $c -b "$tmp/jar" "${url}api/course")" "statistics after it"
    curl -sI $c "${url}login" | grep -qi '^strict-transport-security:' || fail "no HSTS"
    expect 0 "$fl" web user prom --remove --data "$tmp/data"
    expect 1 "$fl" web user prom --remove --data "$tmp/data"
    is 401 "$(code $c -H "Authorization: Bearer $token" "${url}metrics")" "a token that was taken away"
}
kill "$last"
wait "$last" || fail "the server ended with $?"
