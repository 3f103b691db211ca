#!/bin/sh
# Ports without modem lines: pseudo-terminals and raw TCP, with the boards waiting in the loader. Flashed and verified; a boot
# check that cannot be made is said to be that; a serial server whose port is taken is port.busy.
. tests/flow/lib.sh
demo_images
sed -e '/^boot_check/d' -e "s|\.\./build|$PWD/build|" profiles/demo-esp32.yaml >"$T/plain.yaml"
sim_start pty --boards 2 --pty
expect_exit 0 "$FL" flash --profile "$T/plain.yaml" --station "$T/pty.yaml" --data "$T/data" --format json
[ "$(jq -r 'select(.type=="totals")|.pass' "$T/out")" = 2 ] || fail "not two PASS over pseudo-terminals"
expect_exit 1 "$FL" flash --profile profiles/demo-esp32.yaml --port "$(port_of pty 1)" --data "$T/data" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault) \(.bytes)"' "$T/out")" = "ERROR boot.no_reset 558384" ] ||
    { cat "$T/out"; fail "the boot check that cannot be made"; }
echo 'defaults: {telnet: off}' >"$T/tcp.scenario"
sim_start tcp --boards 1 --scenario "$T/tcp.scenario"
expect_exit 0 "$FL" flash --profile "$T/plain.yaml" --station "$T/tcp.yaml" --data "$T/data"

sim_start slow --boards 1 --pace real
"$FL" flash --profile "$T/plain.yaml" --station "$T/slow.yaml" --data "$T/data" >"$T/o1" 2>"$T/e1" &
first=$!
PIDS="$PIDS $first"
wait_for "the first client to write" 60 grep -q ' write' "$T/e1" || { cat "$T/e1"; fail "no first client"; }
expect_exit 4 "$FL" flash --profile "$T/plain.yaml" --station "$T/slow.yaml" --data "$T/data2" --format json
[ "$(jq -r 'select(.type=="attempt")|"\(.outcome) \(.fault)"' "$T/out")" = "ERROR port.busy" ] ||
    { cat "$T/out"; fail "a taken port"; }
wait $first || { cat "$T/o1" "$T/e1"; fail "the first client was disturbed"; }
