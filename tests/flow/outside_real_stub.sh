#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Espressif's own stub (its machine code, from the pinned package) under Espressif's own client: before the
# device is trusted as a witness for the engine, two programs that nobody here wrote must agree about it.
set -eu
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
T=$(mktemp -d)
pid=
trap 'kill $pid 2>/dev/null || :; rm -rf "$T"' EXIT

# every byte value, runs that deflate well and runs that do not, an odd length
node -e '
  const b = Buffer.alloc(70001);
  let x = 1;
  for (let i = 0; i < b.length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    b[i] = i % 9000 < 3000 ? x >> 16 : i % 9000 < 6000 ? 0xc0 + (x >> 28) : i >> 8;
  }
  require("fs").writeFileSync(process.argv[1], b)' "$T/image"

"$B/stub-board" 127.0.0.1:0 "$T/flash" >"$T/ready" 2>"$T/broken" &
pid=$!
for _ in $(seq 100); do
    grep -q listening "$T/ready" && break
    sleep 0.05
done
url=socket://$(sed -n 's/^listening on //p' "$T/ready")

expect() { # what the flash must hold: the image at $1 (padded to words with FF), nothing anywhere else
    node -e '
      const [image, flash, at] = process.argv.slice(1), fs = require("fs");
      const want = Buffer.alloc(4 << 20, 0xff);
      fs.readFileSync(image).copy(want, Number(at));
      process.exit(Buffer.compare(want, fs.readFileSync(flash)) ? 1 : 0)' "$T/image" "$T/flash" "$1"
}
for mode in "" --no-compress; do
    node tests/outside/flash.mjs --erase-all --read-back $mode "$url" "$T/image@0x10000" >"$T/out" 2>"$T/err" || {
        cat "$T/err" "$T/out" "$T/broken"
        exit 1
    }
    grep -q '"confirmed":true,"read_back":true' "$T/out"
    grep -q '"stub":true' "$T/out"
    for _ in $(seq 100); do # the file is written when the connection has ended
        [ -s "$T/flash" ] && break
        sleep 0.05
    done
    expect 0x10000 || { echo "the flash holds something else ($mode)"; exit 1; }
    rm "$T/flash"
done
[ ! -s "$T/broken" ] || { cat "$T/broken"; exit 1; }
