#!/bin/sh
# What a slot learned about its bridge outlives the program: the second process starts at the rung that the first one
# needed, takes none, and the record says what the line did.
. tests/flow/lib.sh
demo_images
cat >"$T/boards.yaml" <<Y
boards:
  - {board: 1, faults: [{kind: baud_limit, above: 300000, rate: 0.2}]}
  - {board: 2, bridge: ch9102}
  - {board: 3, timing: {en_us: 100000}}
Y
sim_start s --boards 3 --scenario "$T/boards.yaml"
sed -e "s|\.\./build|$PWD/build|" profiles/demo-esp32.yaml >"$T/p.yaml"
one() { # one BOARD: flashed on its own slot; leaves "OUTCOME RUNGS BAUD"
    printf 'station: learns\nslots:\n  - {slot: %s, port: "%s"}\n' "$1" "$(port_of s "$1")" >"$T/slots$1.yaml"
    timeout 100 "$FL" flash --profile "$T/p.yaml" --station "$T/slots$1.yaml" --data "$T/data" --format json >"$T/out" 2>"$T/err" ||
        { cat "$T/out" "$T/err"; fail "board $1 was not flashed"; }
    jq -r 'select(.type=="attempt")|"\(.outcome) \(.rungs|length) \(.baud)"' "$T/out"
}
blank() { : >"$T/s.flash/board$1.bin"; }
first=$(one 1)
[ "${first##* }" = 230400 ] || fail "the first unit ended with $first"
[ "$first" != "PASS 0 230400" ] || fail "the first unit needed no rung"
[ "$(sql "SELECT slot || ' ' || what || ' ' || baud FROM tuning_now")" = "1 learned 230400" ] ||
    { sql "SELECT * FROM tuning_now"; fail "it is not in the record"; }

second=$(one 1)
[ "$second" = "PASS 0 230400" ] || { cat "$T/out" "$T/err"; sql "SELECT * FROM tuning_now; SELECT * FROM attempt_rung; SELECT * FROM attempt_block"; fail "the second process began anew: $second"; }
[ "$(sql "SELECT count(*) FROM tuning")" = 1 ] || fail "what did not change was told again"
# a bridge that loses bytes in long bursts: blocks of which length, at which speed, and who says so
bursts=$(one 2)
[ "${bursts%% *}" = PASS ] || fail "the bursts' board ended with $bursts"
[ "$(sql "SELECT count(*) > 0 FROM attempt_damage WHERE refused > 0")" = 1 ] || fail "the damage is not in the record"
# (that short ones come through is esp/t_cells' to say: on a busy machine the simulator reads two writes and the pause between
# them as one burst)
[ "$(sql "SELECT min(refused <= sent) AND sum(refused) <= (SELECT max(refused) FROM attempt_damage) FROM attempt_block")" = 1 ] ||
    { sql "SELECT * FROM attempt_block; SELECT * FROM attempt_damage"; fail "more blocks were refused than were sent"; }
[ "$(sql "SELECT sum(refused) > 0 FROM attempt_block WHERE bytes > 2048")" = 1 ] ||
    { sql "SELECT * FROM attempt_block"; fail "no long block was refused"; }
mac=$(jq -r 'select(.type=="attempt")|.mac' "$T/out")
"$FL" trace "$mac" --data "$T/data" >"$T/trace" || fail "trace"
grep -q 'line .* refused as damaged' "$T/trace" || { cat "$T/trace"; fail "trace does not tell what the line did"; }
grep -q 'blocks .* baud, up to .* bytes: .* refused' "$T/trace" || { cat "$T/trace"; fail "trace does not tell which blocks"; }
again=$(one 2)
[ "$again" != "$bursts" ] || fail "the second process learned nothing: $again"
[ "$(sql "SELECT count(DISTINCT slot) FROM tuning_now")" = 2 ] || fail "both slots learned"

# a board whose reset is slow (10 uF at EN): the short pulse is tried once, and not again after a start. A machine that holds
# station or simulator up in the middle of the pulse makes a long one of it: then there was nothing to learn, and it is tried again
for try in 1 2 3 4 5; do
    [ "$(one 3 | cut -d' ' -f1)" = PASS ] || fail "the slow board"
    [ "$(sql "SELECT count(*) FROM tuning_now WHERE slot = 3")" = 0 ] || break
done
[ "$(sql "SELECT slow_reset FROM tuning_now WHERE slot = 3")" = 1 ] || { sql "SELECT * FROM tuning"; fail "the slow reset is not in the record"; }
told=$(sql "SELECT count(*) FROM tuning")
one 3 >"$T/third"
[ "$(sql "SELECT count(*) FROM tuning")" = "$told" ] || { sql "SELECT * FROM tuning"; fail "the slow reset was learned anew"; }

expect_exit 0 "$FL" report slots --data "$T/data" --format json
[ "$(jq -r '.speeds[]|select(.slot==1)|"\(.held_baud) \(.next_baud)"' "$T/out")" = "230400 230400" ] &&
    [ "$(jq -r '.speeds[]|select(.slot==3)|.next_baud' "$T/out")" = "the profile's" ] || { jq -c ".speeds[]" "$T/out"; fail "speeds of the slots"; }
expect_exit 0 "$FL" audit --data "$T/data"
