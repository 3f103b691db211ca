// SPDX-License-Identifier: Apache-2.0
//
// expect_flash.mjs FLASH IMAGE@OFFSET...: whether a flash dump holds these images and nothing else (FF). The
// second way to look at what a client wrote: no protocol, no MD5, the bytes. Exit 0 alike, 1 with the first
// difference.

import { readFileSync } from "node:fs";

const [path, ...images] = process.argv.slice(2);
const got = readFileSync(path);
const want = Buffer.alloc(got.length, 0xff);
for (const text of images) {
  const [, file, offset] = /^(.+)@(0x[0-9a-fA-F]+|\d+)$/.exec(text);
  readFileSync(file).copy(want, Number(offset));
}
const at = got.findIndex((b, i) => b !== want[i]);
if (at >= 0) console.log(`${path}: at 0x${at.toString(16)} ${got[at].toString(16)}, expected ${want[at].toString(16)}`);
process.exit(at >= 0 ? 1 : 0);
