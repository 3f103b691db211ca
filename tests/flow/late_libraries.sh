#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What HTTP needs is no part of a program's start (station/http/late.h): nobody links it, tools that make packages can see it, and
# where it cannot be loaded the verb that needs it says what to install.
. tests/flow/lib.sh

# ---- installed elsewhere it needs nothing of this folder, and goes again without a trace; what somebody put beside it stays
put() { make -s -o all "$1" B="$B" DESTDIR="$T/root" PREFIX=/opt/fl >"$T/make" 2>&1 || { cat "$T/make"; fail "make $1"; }; }
put install
(cd "$T" && [ "$("$T/root/opt/fl/bin/flashline" --version)" = "$("$FL" --version)" ] && "$T/root/opt/fl/bin/flashline-verify" --help >/dev/null) ||
    fail "what was installed does not run"
[ -s "$T/root/opt/fl/share/flashline/profiles/m5stack-core.yaml" ] && [ -s "$T/root/opt/fl/share/doc/flashline/NOTICE" ] || fail "not installed"
: >"$T/root/opt/fl/share/flashline/profiles/mine.yaml"
put uninstall
[ "$(cd "$T/root" && find . -type f)" = ./opt/fl/share/flashline/profiles/mine.yaml ] || { find "$T/root"; fail "uninstall"; }
put uninstall # asked twice

# ---- linked: neither, nor by another library
for p in flashline flashline-verify; do
    ldd "$B/$p" >"$T/libraries"
    expect_text "$T/libraries" 'libcrypto\.so' # that it lists them at all
    ! grep -E 'libmicrohttpd|libcurl|libgnutls|libldap|libkrb5|libssl' "$T/libraries" || fail "$p loads these at every start"
done

# ---- told: each with the soname that it is loaded by
readelf -p .note.dlopen "$FL" >"$T/note"
http=$(grep -o 'libmicrohttpd\.so\.[0-9]*' "$T/note") curl=$(grep -o 'libcurl\.so\.[0-9]*' "$T/note") || fail "no note: $(cat "$T/note")"
[ "$(readelf -n "$FL" | grep -c FDO)" = 2 ] || fail "the notes are not whole"

# ---- not there: an empty file stands in its place
mkdir "$T/lib"
: >"$T/lib/$http"
: >"$T/lib/$curl"
expect_exit 0 "$FL" init --station bench-1 --data "$T/d" --no-passphrase
expect_exit 0 "$FL" witness init "$T/w" --name qa.example/w1 --format json
key=$(jq -r .key "$T/out")
LD_LIBRARY_PATH=$T/lib
export LD_LIBRARY_PATH
expect_exit 3 "$FL" web --data "$T/d" --listen 127.0.0.1:0
expect_text "$T/err" "$http.*Debian's package is libmicrohttpd12"
expect_exit 3 "$FL" witness "$T/w" --listen 127.0.0.1:0
expect_text "$T/err" 'libmicrohttpd12'
expect_exit 3 "$FL" witness push http://127.0.0.1:9 --key "$key" --data "$T/d"
expect_text "$T/err" "$curl.*Debian's package is libcurl4"
expect_exit 0 "$FL" status --data "$T/d" # whoever needs neither works on
