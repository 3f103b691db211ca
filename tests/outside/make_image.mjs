// SPDX-License-Identifier: Apache-2.0
//
// make_image.mjs FILE BYTES [SEED]: content for flashing that is awkward for framing and for deflate: noise, long
// runs of the framing bytes C0 and DB, stretches that repeat. The same for the same size and seed.

import { writeFileSync } from "node:fs";

const [file, bytes, seed = "1"] = process.argv.slice(2);
const out = Buffer.alloc(Number(bytes));
let x = Number(seed);
for (let i = 0; i < out.length; i++) {
  x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
  const third = Math.floor(i / 3000) % 3;
  out[i] = third === 0 ? x >> 16 : third === 1 ? [0xc0, 0xdb, 0xdc, 0xdd][(x >> 16) & 3] : i >> 8;
}
writeFileSync(file, out);
