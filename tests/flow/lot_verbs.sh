#!/bin/sh
# A production order from opening to closing: what is let in, what is counted, what other verbs may say while the line works.
. tests/flow/lib.sh
demo_images
P=profiles/demo-esp32.yaml
expect_exit 3 "$FL" lot show --data "$T/data" # no station there
expect_text "$T/err" "there is no"
"$FL" init --no-passphrase --data "$T/data" --station line-1 >/dev/null
expect_exit 0 "$FL" lot show --data "$T/data"
expect_text "$T/out" "no lots"
expect_exit 2 "$FL" lot show L-1 --data "$T/data"
expect_text "$T/err" "there is no lot L-1"
expect_exit 2 "$FL" lot open L-1 --data "$T/data"
expect_text "$T/err" "profile FILE is missing"
expect_exit 2 "$FL" lot open L-1 --profile $P --duplicates maybe --data "$T/data"
expect_text "$T/err" "duplicates are"
for option in --max --quantity --tries; do # none is not the same as no limit
    expect_exit 2 "$FL" lot open L-1 --profile $P $option 0 --data "$T/data"
    expect_text "$T/err" "whole numbers from 1"
done
expect_exit 2 "$FL" lot open L-1 --profile $P --product "$(printf 'x\251')" --data "$T/data"
expect_exit 2 "$FL" lot close L-1 --data "$T/data"
expect_text "$T/err" "was not opened"

sim_start sim --boards 3
expect_exit 2 "$FL" flash --profile $P --station "$T/sim.yaml" --data "$T/data" --lot L-1
expect_text "$T/err" "flashline lot open makes one"
echo '{"line": {"consecutive": 5}}' >"$T/rules.json"
expect_exit 0 "$FL" lot open L-1 --profile $P --product "demo core" --quantity 2 --max 2 --tries 3 --rules "$T/rules.json" \
    --operator eva --data "$T/data"
expect_text "$T/out" "lot L-1 is open \(leaf [0-9]+\)"
expect_exit 2 "$FL" lot open L-1 --profile $P --data "$T/data"
expect_text "$T/err" "open already: a name is used once"
expect_exit 0 "$FL" lot open L-0 --profile $P --quantity 500 --max 50 --data "$T/data" # 505 was meant: said, for it cannot be changed
expect_text "$T/err" "note: 50 units may pass .*fewer than the 500"

# three boards, two places: one is not let in, and nothing of it is counted
expect_exit 1 "$FL" flash --profile $P --station "$T/sim.yaml" --data "$T/data" --lot L-1 --operator ann --format json
[ "$(sql "SELECT group_concat(outcome || coalesce(fault, ''), ' ') FROM (SELECT outcome, fault FROM attempt_view ORDER BY outcome DESC)")" = \
    "PASS PASS ABORTEDlot.quantity" ] || { sql "SELECT * FROM attempt_view"; fail "one too many, or one too few"; }
[ "$(sql "SELECT count(*) FROM record WHERE rec LIKE '%eva%' OR rec LIKE '%\"ann\"%'")" = 0 ] || fail "names are in the log"
expect_exit 0 "$FL" lot show L-1 --data "$T/data"
expect_text "$T/out" "passed 2  of 2  wanted 2"
expect_text "$T/out" "^  line +consecutive 5\$"
expect_text "$T/out" "opened +20.* by eva"
expect_exit 0 "$FL" lot show --data "$T/data" --format json
[ "$(jq -c '.lots[0] | [.lot, .state, .passed, .running, .units, .tries, .rules.line.consecutive, .opened_by, .profiles[0].name]' "$T/out")" = \
    '["L-1","open",2,0,2,3,5,"eva","demo-esp32"]' ] || { cat "$T/out"; fail "lot show --format json"; }

# the same boards again: done is done
expect_exit 1 "$FL" flash --profile $P --station "$T/sim.yaml" --data "$T/data" --lot L-1
[ "$(sql "SELECT count(*) FROM attempt_view WHERE fault = 'lot.duplicate'")" = 2 ] || fail "duplicates"
[ "$(sql "SELECT count(*), sum(attempts) FROM unit_lot")" = "2|2" ] || fail "refused units were counted"

# another profile than the lot's
sed 's/version: "1.0.0"/version: "1.0.1"/; s,\.\./build,'"$PWD"'/build,' $P >"$T/other.yaml"
expect_exit 2 "$FL" flash --profile "$T/other.yaml" --station "$T/sim.yaml" --data "$T/data" --lot L-1
expect_text "$T/err" "another"

# while a line is at work, other verbs reach it
"$FL" run --profile $P --station "$T/sim.yaml" --data "$T/data" --lot L-1 >"$T/run.out" 2>"$T/run.err" &
RUN=$!
PIDS="$PIDS $RUN"
wait_for "the door" 30 test -S "$T/data/door" || { cat "$T/run.err"; fail "no door"; }
MAC=$(sql "SELECT mac FROM attempt_view WHERE outcome = 'PASS' LIMIT 1")
expect_exit 0 "$FL" note "$(echo "$MAC" | tr a-f: A-F-)" "scratch on the case" --data "$T/data" --operator bo
# what is no text is refused; what a terminal would obey is recorded, and never sent to one
expect_exit 2 "$FL" note "$MAC" "$(printf 'x\251')" --data "$T/data"
expect_text "$T/err" "UTF-8"
expect_exit 0 "$FL" note "$MAC" "$(printf 'red \033[31m\nslot 1  PASS')" --data "$T/data"
expect_exit 0 "$FL" trace "$MAC" --data "$T/data"
expect_text "$T/out" 'note: red \?\[31m\?slot 1  PASS \(leaf'
expect_exit 0 "$FL" lot open L-2 --profile "$T/other.yaml" --data "$T/data"
expect_exit 2 "$FL" dispose "$MAC" scrap --data "$T/data"
expect_text "$T/err" "by whom and why"
expect_exit 2 "$FL" dispose 24:6f:28:00:00:00 scrap --why x --operator bo --data "$T/data"
expect_text "$T/err" "never saw"
expect_exit 0 "$FL" dispose "$MAC" scrap --why "fell down" --operator bo --data "$T/data" --format json
[ "$(jq -r .disposition "$T/out")" = scrap ] || fail "dispose --format json"
expect_exit 0 "$FL" operator begin bo --shift late --data "$T/data"
expect_exit 0 "$FL" lot close L-1 --why done --operator bo --data "$T/data"
kill -INT $RUN
wait $RUN || :
[ ! -e "$T/data/door" ] || fail "the door was left open"
[ "$(sql "SELECT what, text, operator FROM unit_remark WHERE text NOT LIKE 'red%'" | tr '\n' ' ')" = "note|scratch on the case|bo scrap|fell down|bo " ] || fail "remarks"
expect_exit 0 "$FL" operator forget bo --data "$T/data"
[ "$(sql "SELECT count(*) FROM unit_remark WHERE operator GLOB '#*'")" = 2 ] || fail "bo was not forgotten"
expect_exit 2 "$FL" flash --profile $P --station "$T/sim.yaml" --data "$T/data" --lot L-1
expect_text "$T/err" "lot L-1 is closed"
expect_exit 0 "$FL" audit --data "$T/data"
