#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the flasher stub answers, stimulus by stimulus: the table holds against Espressif's machine code.
set -eu
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
T=$(mktemp -d)
pid=
trap 'kill $pid 2>/dev/null || :; rm -rf "$T"' EXIT

"$B/stub-board" 127.0.0.1:0 >"$T/ready" 2>"$T/broken" &
pid=$!
for _ in $(seq 100); do
    grep -q listening "$T/ready" && break
    sleep 0.05
done
node tests/outside/stub_rows.mjs "socket://$(sed -n 's/^listening on //p' "$T/ready")"
[ ! -s "$T/broken" ] || { cat "$T/broken"; exit 1; }
