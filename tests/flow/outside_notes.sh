#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The malformed notes of tests/unit/audit/t_note.c, judged by Go's sumdb/note (from Debian, nothing is fetched):
# both readers must say the same, and ours may only be stricter where the test names it so.
set -eu
command -v go >/dev/null || { echo "go is not installed"; exit 77; }
[ -d /usr/share/gocode/src/golang.org/x/mod/sumdb/note ] || { echo "golang-golang-x-mod-dev is not installed"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/corpus"
FL_CORPUS=$tmp/corpus "$B/tests/audit/t_note" >"$tmp/unit.log" 2>&1 || { cat "$tmp/unit.log"; exit 1; }
export GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE="${GOCACHE:-$PWD/build/gocache}" GOFLAGS= GOPROXY=off CGO_ENABLED=0
go build -o "$tmp/notes" tests/outside/go/notes.go
"$tmp/notes" factory.example/station1+991df877+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 "$tmp"/corpus/* >"$tmp/verdicts"
n=0
while read -r go_says name; do
    we_say=${name#*-}
    [ "$we_say" = stricter ] && we_say=accepted # that is what the name means: Go takes it
    if [ "$go_says" != "$we_say" ]; then
        echo "note $name: Go says $go_says"
        exit 1
    fi
    n=$((n + 1))
done <"$tmp/verdicts"
echo "$n notes judged alike"
[ "$n" -ge 30 ]
