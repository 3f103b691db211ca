#!/bin/sh
# doctor: each simulated fault gets its own cause, nothing in flash changes, and the board runs its program afterwards.
. tests/flow/lib.sh
cat >"$T/boards.yaml" <<Y
seed: 5
boards:
  - {board: 1, bridge: cp2104}
  - {board: 2, bridge: ch9102}
  - {board: 3, faults: [{kind: flip, rate: 0.0004, count: 0}]}
  - {board: 4, faults: [{kind: baud_limit, above: 300000, rate: 0.02}]}
  - {board: 5, faults: [brownouts]}
  - {board: 6, faults: [tx_dead]}
  - {board: 7, faults: [silent]}
  - {board: 8, faults: [shorted]}
  - {board: 9, faults: [app_only]}
  - {board: 10, faults: [{kind: brownout, op: 0x07, nth: 20}]}
  - {board: 11, faults: [{kind: reset, op: 0x07, nth: 9}, {kind: reset, op: 0x07, nth: 20}]}
  - {board: 12, chip: esp32c3, security: {secure_download: true}}
  - {board: 13, chip: esp8266}
  - {board: 14, faults: [echo]}
  - {board: 15, chip: esp32s3, bridge: {kind: ft232, burst: 1500}}
  - {board: 16, bridge: cp2104}
  - {board: 17, faults: [silent]}
  - {board: 18, faults: [{kind: xonxoff, dir: to_host}]}
  - {board: 19, faults: [add_cr]}
  - {board: 20, faults: [{kind: seven_bits, dir: to_host}]}
Y
sim_start d --boards 20 --scenario "$T/boards.yaml"
md5sum "$T"/d.flash/*.bin >"$T/before" 2>/dev/null || :
grep -Ev 'slot: 1[67],' "$T/d.yaml" >"$T/most.yaml"
[ "$(grep -c 'port:' "$T/most.yaml")" = 18 ] || { cat "$T/d.yaml"; fail "eighteen slots"; }
timeout 120 "$FL" doctor --station "$T/most.yaml" --format json >"$T/verdicts" 2>"$T/verdicts.err" & all=$!
PIDS="$PIDS $all"

# meanwhile text, single ports and exit codes, on two boards more
expect_exit 0 timeout 60 "$FL" doctor --baud 115200 "$(port_of d 16)"
expect_text "$T/out" 'verdict +fine: the link is fine \(certain\)'
expect_exit 4 timeout 60 "$FL" doctor --baud 115200 "$(port_of d 17)" "$(port_of d 16)"
expect_text "$T/out" 'verdict +nobody'
expect_exit 4 "$FL" doctor /dev/ttyUSB987
expect_text "$T/out" 'verdict +port'
expect_exit 2 "$FL" doctor nonsense://x
expect_exit 2 "$FL" doctor --reset nonsense /dev/ttyUSB0
rc=0
wait $all || rc=$?
[ $rc = 1 ] || { cat "$T/verdicts.err"; fail "exit $rc, expected 1"; }
want() { # want BOARD CAUSE
    got=$(sed -n "$1p" "$T/verdicts" | jq -r .verdict)
    [ "$got" = "$2" ] || { sed -n "$1p" "$T/verdicts" | jq -c '.findings, .blocks, .losses, .speeds'; fail "board $1: $got, expected $2"; }
}
field() { sed -n "$1p" "$T/verdicts" | jq -r "$2"; } # field BOARD JQ
want 1 fine; want 2 bridge; want 3 cable; want 4 speed; want 5 power; want 6 tx_dead; want 7 nobody; want 8 echo
want 9 strap; want 10 power; want 11 restarts; want 12 security; want 13 fine; want 14 fine; want 15 bridge
want 16 translates; want 17 translates; want 18 translates # boards 18 to 20
field 16 '.findings[0].evidence' | grep -q '11 not, 13 not; software flow control' || fail "XON/XOFF: $(field 16 .findings)"
field 17 '.findings[0].evidence' | grep -q '0a; line ends are translated' || fail "CR before LF: $(field 17 .findings)"
[ "$(field 17 '.findings|length')" = 1 ] || fail "what follows from it is named too: $(field 17 .findings)"
[ "$(field 1 .setting.baud)" = 921600 ] || fail "a sound line: $(field 1 .setting)"
[ "$(field 4 .setting.baud)" = 230400 ] || fail "a line that holds 230400: $(field 4 .setting)"
[ "$(field 2 .sure)" = certain ] || fail "bursts: not certain"
[ "$(field 2 '[.losses[]|.taken]|add')" -gt 0 ] || fail "bursts: no loss was proved"
[ "$(field 3 '[.losses[]|.taken]|add')" = 0 ] || fail "flips taken for losses"
[ "$(field 14 '[.findings[].cause]|join(" ")')" = "fine echoing" ] || fail "an adapter that echoes: $(field 14 .findings)"
[ "$(field 1 .board.secure_boot)" = off ] || fail "the board's security: $(field 1 .board)"
# nothing was written, and no stub was left behind: the boards start from flash
md5sum "$T"/d.flash/*.bin >"$T/after" 2>/dev/null || :
cmp "$T/before" "$T/after" || fail "flash changed"

# the board runs its program afterwards: it can be flashed at once
demo_images
expect_exit 0 timeout 60 "$FL" flash --profile profiles/demo-esp32.yaml --port "$(port_of d 1)" --data "$T/data"
