// SPDX-License-Identifier: Apache-2.0
//
// make-image.mjs FILE: 1.7 MB that compress to about two thirds, as firmware does: for machines without a real image.
// The same bytes every time.
import { writeFileSync } from "node:fs";

let state = 0x9e3779b9;
const next = () => (state ^= state << 13, state ^= state >>> 17, state ^= state << 5, state >>> 0);
const bytes = Buffer.alloc(1_747_552);
for (let at = 0; at < bytes.length; ) {
  const n = Math.min(4 + next() % 28, bytes.length - at);
  // every third piece was there before, as code and strings repeat
  if (at > 4096 && next() % 3 === 0) bytes.copyWithin(at, at - 64 - next() % 4000, at - 64 - next() % 4000 + n);
  else for (let i = 0; i < n; i++) bytes[at + i] = next() >>> (next() % 24);
  at += n;
}
bytes[0] = 0;
writeFileSync(process.argv[2], bytes);
