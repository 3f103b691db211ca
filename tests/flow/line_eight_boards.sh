#!/bin/sh
# Eight boards, two chips, one behind a CH9102, one whose flash does not hold what is written: in parallel, seven PASS and
# one FAIL verify.md5; JSON, SQLite, summary, trace and audit agree, and the flash files hold the images.
. tests/flow/lib.sh
demo_images
sim_start sim --boards 8 --scenario profiles/demo-scenario.yaml
expect_exit 1 "$FL" flash --profile profiles/demo-esp32.yaml --profile profiles/demo-esp32c3.yaml \
    --station "$T/sim.yaml" --data "$T/data" --format json
cp "$T/out" "$T/result"
[ "$(grep -c '"type":"attempt"' "$T/result")" = 8 ] || { cat "$T/result"; fail "not eight attempts"; }
[ "$(tail -n 1 "$T/result" | jq -r '"\(.type) \(.attempts) \(.pass) \(.fail) \(.error)"')" = "totals 8 7 1 0" ] ||
    { cat "$T/result"; fail "the totals are wrong"; }
[ "$(jq -r 'select(.outcome=="FAIL")|.fault' "$T/result")" = verify.md5 ] || fail "the bad flash is not verify.md5"
[ "$(jq -r 'select(.type=="attempt")|.mac' "$T/result" | sort -u | grep -c :)" = 8 ] || fail "not eight MACs"
[ "$(jq -r 'select(.type=="attempt")|.chip' "$T/result" | sort | uniq -c | tr -s ' ' | tr '\n' ';')" = \
    " 5 esp32; 3 esp32c3;" ] || fail "the chips are wrong"
jq -r 'select(.rungs|length>0)|"\(.slot) \(.outcome) \(.rungs|join(","))"' "$T/result" >"$T/rungs"
expect_text "$T/rungs" '^[0-9]+ PASS .*(resend|small_blocks|paced|rom)'
# the database says the same, row by row
jq -r 'select(.type=="attempt")|"\(.slot)|\(.mac)|\(.outcome)|\(.fault//"")|\(.leaf)"' "$T/result" | sort >"$T/a"
sql "SELECT slot, mac, outcome, coalesce(fault,''), leaf FROM attempt_view" | sort >"$T/b"
cmp -s "$T/a" "$T/b" || { diff "$T/a" "$T/b"; fail "the rows differ from what was said"; }
expect_exit 0 "$FL" audit --data "$T/data"
expect_exit 0 "$FL" report summary --data "$T/data" --format json
expect_exit 0 "$FL" trace "$(jq -r 'select(.outcome=="FAIL")|.mac' "$T/result" | tr a-f: A-F-)" --data "$T/data"
expect_text "$T/out" 'verify\.md5'
