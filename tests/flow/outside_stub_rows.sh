#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the flasher stub answers, stimulus by stimulus: the table holds against Espressif's machine code, and the
# simulated stubs answer the same.
. tests/flow/lib.sh
command -v node >/dev/null || skip "node is not installed"

"$B/stub-board" 127.0.0.1:0 >"$T/ready" 2>"$T/broken" &
PIDS="$PIDS $!"
printf 'boards:\n  - {board: 1, chip: esp32}\n  - {board: 2, chip: esp32c3}\n' >"$T/boards.yaml"
sim_start s --boards 2 --scenario "$T/boards.yaml"
wait_for "the stub board" 10 grep -q listening "$T/ready"
node tests/outside/stub_rows.mjs "socket://$(sed -n 's/^listening on //p' "$T/ready")" >"$T/real" &
real=$!
node tests/outside/stub_rows.mjs "$(port_of s 1)" >"$T/one" &
one=$!
rc=0
node tests/outside/stub_rows.mjs "$(port_of s 2)" >"$T/two" || rc=1
wait $one || rc=1
wait $real || rc=1
cat "$T/real" "$T/one" "$T/two"
[ ! -s "$T/broken" ] || { cat "$T/broken"; rc=1; }
exit $rc
