#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Data folders changed at random by somebody who may write them: audit, db check or the next start sees it, says what it is, and neither
# hangs nor crashes; an untouched one is never accused (tests/tamper/tamper.py). FL_SEED=N: the first seed, FL_SEEDS=N: how many (300).
. tests/flow/lib.sh
demo_images
profile=profiles/demo-esp32.yaml
echo '{"serial": {"template": "SN-{n:5}"}}' >"$T/rules.json"
mkdir "$T/labels"
sim_start sim --boards 3
{ echo "labels: {printer: 'dir:$T/labels', template: $PWD/profiles/demo-label.zpl, qr: '{mac};{serial}'}"; cat "$T/sim.yaml"; } >"$T/station.yaml"
expect_exit 0 "$FL" witness init "$T/witness" --name qa.example/w --format json
wkey=$(jq -r .key "$T/out")
for s in A B; do
    d=$T/$s
    with() { expect_exit 0 "$FL" "$@" --data "$d"; }
    with init --station "line-$s" --no-passphrase
    expect_exit 0 "$FL" witness trust "$T/witness" "$(cat "$d/key/log.vkey")"
    cp "$d/key/log.vkey" "$T/$s.vkey"
    cp -a "$d" "$T/$s.0"
    with lot open L-1 --profile $profile --rules "$T/rules.json" --operator eva
    with flash --profile $profile --station "$T/station.yaml" --lot L-1 --operator ann
    with witness offer -o "$T/request"
    expect_exit 0 "$FL" witness sign "$T/witness" "$T/request" -o "$T/signed"
    with witness accept "$T/signed" --key "$wkey"
    cp -a "$d" "$T/$s.1"
    with key rotate
    with flash --profile $profile --station "$T/sim.yaml"
    cp -a "$d" "$T/$s.2"
    with label reprint "$(sqlite3 "$d/flashline.db" "SELECT mac FROM attempt_view WHERE serial IS NOT NULL LIMIT 1")" --operator eva
    with lot close L-1 --operator eva
    printf 'log %s\nwitness w %s\nquorum w\n' "$(cat "$T/$s.vkey")" "$wkey" >"$d/policy"
    with flash --profile $profile --station "$T/sim.yaml"
    cp -a "$d" "$T/$s.3"
    cp "$d/checkpoint" "$T/$s.head"
done

# one that was killed while three boards were in hand
cp -a "$T/A.3" "$T/A.kill"
expect_exit 0 "$FL" lot open L-2 --profile $profile --rules "$T/rules.json" --operator eva --data "$T/A.kill"
"$FL" flash --profile $profile --station "$T/station.yaml" --lot L-2 --data "$T/A.kill" >"$T/o" 2>"$T/e" &
killed=$!
begun() { [ "$(sqlite3 "$T/A.kill/flashline.db" "SELECT count(*) FROM record WHERE event = 'attempt_start'")" -gt 9 ]; }
wait_for "an attempt" 30 begun || { cat "$T/e"; fail "nothing to kill"; }
kill -9 $killed 2>/dev/null || :
wait $killed 2>/dev/null || :

python3 tests/tamper/tamper.py "$FL" "$T" "${FL_SEED:-1}" "${FL_SEEDS:-300}" || fail "a folder that was changed"
