#!/bin/sh
# The pages in Debian's Chromium (tests/browser/pages.mjs), over a simulated line's records and a line that is not there.
set -eu
[ -x /usr/bin/chromium ] || { echo "chromium is not installed"; exit 77; }
[ -e build/npm-browser/.done ] || { echo "playwright-core and axe-core are not there: scripts/fetch-npm tests"; exit 77; }
scripts/make-demo-images >/dev/null # all of them: another test may be making them just now
tmp=$(mktemp -d)
sim=
trap 'exit 1' INT TERM HUP
trap 'kill $sim 2>/dev/null || :; rm -rf "$tmp"' EXIT
"$B/flashline" sim --boards 8 --listen 127.0.0.1:0 --station-file "$tmp/station.yaml" \
    --scenario profiles/demo-scenario.yaml >"$tmp/sim" 2>&1 &
sim=$!
i=0
until [ -s "$tmp/sim" ] && [ -s "$tmp/station.yaml" ]; do
    i=$((i + 1))
    [ $i -le 200 ] || { echo "FAILED: the simulator did not start"; cat "$tmp/sim"; exit 1; }
    sleep 0.1
done
records() { # two rounds of attempts and a user; what it prints is shown when it fails
    for i in 1 2; do
        "$B/flashline" flash --profile profiles/demo-esp32.yaml --profile profiles/demo-esp32c3.yaml \
            --station "$tmp/station.yaml" --data "$tmp/data" || [ $? -eq 1 ] || return 1
    done
    printf 'long enough' >"$tmp/password"
    "$B/flashline" web user ann --role operator --password-fd 3 --data "$tmp/data" 3<"$tmp/password" || return 1
    "$B/flashline" web user eva --role engineer --password-fd 3 --data "$tmp/data" 3<"$tmp/password" || return 1
    : >"$tmp/data/ready"
}
records >"$tmp/records" 2>&1 & making=$!
rc=0
B=$B timeout 240 node tests/browser/pages.mjs "$tmp/data" || rc=$?
wait $making || { cat "$tmp/records"; exit 1; }
exit $rc
