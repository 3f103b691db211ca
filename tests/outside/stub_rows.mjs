// SPDX-License-Identifier: Apache-2.0
//
// stub_rows.mjs URL: one stimulus at a time to a flasher stub, and what it must answer. The stub is the one in
// npm esptool-js 0.7.0; run against `stub-board` the answers come from its machine code, run against a
// simulated board they show whether the simulated stub is the same. Prints each row that differs; exit 0: none.
//
// Loads the stub by itself (RAM download in the ROM), so that no other client's habits are in the way.
// An answer is written as opcode:status ("0a:0000"), with data before the status where it has some, several
// separated by a space, and "" is silence. Rows are independent: each begins with a resynchronised stub.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { openable } from "./rfc2217.mjs";

const STUBS = new URL("../../build/npm/node_modules/esptool-js/lib/targets/stub_flasher/", import.meta.url);
const CHIPS = { 0x00f01d83: "esp32", 0x1b31506f: "esp32c3", 0x6921506f: "esp32c3" }; // by the word at 40001000
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");
const words = (...list) => list.flatMap((w) => [w & 255, (w >>> 8) & 255, (w >>> 16) & 255, (w >>> 24) & 255]);

// ---- frames -----------------------------------------------------------------------------------------------

const escaped = (body) => body.flatMap((b) => (b === 0xc0 ? [0xdb, 0xdc] : b === 0xdb ? [0xdb, 0xdd] : [b]));
const frame = (body) => [0xc0, ...escaped(body), 0xc0];
const packet = (op, data = [], sum = 0) => [0, op, data.length & 255, data.length >> 8, ...words(sum), ...data];
const request = (op, data, sum) => frame(packet(op, data, sum));
const checksum = (bytes) => bytes.reduce((x, b) => x ^ b, 0xef);
// a block of data with its header; `wrong` damages the checksum
const block = (op, bytes, number, wrong = 0) =>
  request(op, [...words(bytes.length, number, 0, 0), ...bytes], checksum([...bytes]) ^ wrong);

const READ = request(0x0a, words(0x40001000));
const SYNC = request(0x08, [0x07, 0x07, 0x12, 0x20, ...Array(32).fill(0x55)]);

class Wire {
  #port;
  #got = [];

  constructor(port) {
    this.#port = port;
    const reader = port.readable.getReader();
    (async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        this.#got.push(...value);
      }
    })().catch(() => {});
  }

  async send(bytes) {
    const writer = this.#port.writable.getWriter();
    await writer.write(Uint8Array.from(bytes));
    writer.releaseLock();
  }

  // `count` frames, within `ms`; then whatever else arrives until the line is quiet
  async frames(count, ms) {
    for (let waited = 0; this.#split().length < count && waited < ms; waited += 2) await sleep(2);
    for (let before = -1; before !== this.#got.length; ) {
      before = this.#got.length;
      await sleep(10);
    }
    const frames = this.#split();
    this.#got = [];
    return frames;
  }

  async ask(bytes, count = 1, ms = 3000) {
    await this.send(bytes);
    return (await this.frames(count, ms)).map(answer).join(" ");
  }

  #split() {
    const frames = [];
    let body = null;
    for (let i = 0; i < this.#got.length; i++) {
      const b = this.#got[i];
      if (b === 0xc0 && body?.length) (frames.push(body), (body = null));
      else if (b === 0xc0) body = [];
      else if (body) body.push(b === 0xdb ? (this.#got[++i] === 0xdc ? 0xc0 : 0xdb) : b);
    }
    return frames;
  }
}

function answer(f) {
  if (f[0] !== 1 || f.length < 10) return `raw:${hex(f)}`;
  const op = hex([f[1]]), data = f.slice(8, -2);
  return data.length ? `${op}:${hex(data)}:${hex(f.slice(-2))}` : `${op}:${hex(f.slice(-2))}`;
}

// ---- into the stub --------------------------------------------------------------------------------------------

async function loadStub(port, wire) {
  await port.setSignals({ dataTerminalReady: false, requestToSend: true });
  await sleep(100);
  await port.setSignals({ dataTerminalReady: true, requestToSend: false });
  await sleep(50);
  await port.setSignals({ dataTerminalReady: false, requestToSend: false });
  let chip = null;
  for (let i = 0; i < 10 && !chip; i++) {
    await wire.send(SYNC);
    await wire.frames(8, 100);
    await wire.send(READ);
    const [f] = await wire.frames(1, 100);
    chip = f?.length > 8 ? CHIPS[Buffer.from(f).readUInt32LE(4)] : null;
  }
  if (!chip) throw new Error("no loader answers, or it is no ESP32 or ESP32-C3");
  const stub = JSON.parse(readFileSync(new URL(`${chip}.json`, STUBS)));
  for (const part of ["text", "data"]) {
    const bytes = [...Buffer.from(stub[part], "base64")];
    await wire.ask(request(0x05, words(bytes.length, Math.ceil(bytes.length / 0x1800), 0x1800, stub[`${part}_start`])));
    for (let n = 0; n * 0x1800 < bytes.length; n++) {
      const got = await wire.ask(block(0x07, bytes.slice(n * 0x1800, (n + 1) * 0x1800), n));
      if (!/^07:0000/.test(got)) throw new Error(`the stub's ${part} was not taken: ${got}`);
    }
  }
  const got = await wire.ask(request(0x06, words(0, stub.entry)), 2);
  if (!got.endsWith("raw:4f484149")) throw new Error(`the stub did not greet: ${got}`);
  return chip;
}

// ---- rows -------------------------------------------------------------------------------------------------------

const plain = [...Buffer.alloc(0x4000).map((_, i) => (i * 7 + (i >> 8)) & 255)]; // one full block
const packed = [...deflateSync(Uint8Array.from([...plain, ...plain]))];
// does not deflate: three blocks of compressed data
const noise = (() => {
  let x = 12345;
  return Uint8Array.from({ length: 40000 }, () => ((x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 16) & 255);
})();
const noisePacked = [...deflateSync(noise)];
const corrupt = (bytes, at) => bytes.map((b, i) => (i >= at && i < at + 8 ? b ^ 0x55 : b));
const part = (bytes, n) => bytes.slice(n * 0x4000, (n + 1) * 0x4000);
const AT = 0x10000;
const begin = (size, at = AT) => request(0x02, words(size, Math.ceil(size / 0x4000), 0x4000, at));
const deflBegin = (size, bytes, at = AT) => request(0x10, words(size, Math.ceil(bytes.length / 0x4000), 0x4000, at));
const END = request(0x04, words(1)), DEFL_END = request(0x12, words(1));
const sum = (size, at = AT) => request(0x13, words(at, size, 0, 0));
const twice = [...plain, ...plain];

// [name, request, answer, request, answer ...]
const ROWS = [
  ["SYNC: eight answers", SYNC, Array(8).fill("08:0000").join(" ")],
  ["SYNC of another length", request(0x08, [1, 2, 3]), "08:c000"],
  ["READ_REG of another length", request(0x0a, [1, 2, 3]), "0a:c000"],
  ["a command that there is not", request(0x77), "77:c300"],
  ["a plugin that is not loaded", request(0xd5), "d5:ff00"],
  ["wrong direction", frame([1, ...packet(0x0a, words(0x40001000)).slice(1)]), "0a:c300"],
  ["length field larger than the frame", frame([0, 0x0a, 9, ...packet(0x0a, words(0x40001000)).slice(3)]), "0a:c000"],
  ["SPI_ATTACH of four bytes", request(0x0d, words(0)), "0d:0000"],
  ["SPI_ATTACH of eight bytes", request(0x0d, words(0, 0)), "0d:c000"],
  ["SPI_SET_PARAMS", request(0x0b, words(0, 0x400000, 0x10000, 0x1000, 0x100, 0xffff)), "0b:0000"],
  ["READ_FLASH_SLOW is the ROM's", request(0x0e, words(0, 64)), "0e:c300"],
  ["FLASH_DATA without BEGIN", block(0x03, [1, 2, 3, 4], 0), "03:c600"],
  ["FLASH_END without BEGIN", END, "04:c600"],
  ["DEFL_END without BEGIN", DEFL_END, "12:c600"],
  ["MEM_END without BEGIN", request(0x06, words(1, 0)), "06:c600"],
  ["RUN_USER_CODE: no answer, and alive", request(0xd3), "", READ, "0a:0000"],
  ["ERASE_REGION not aligned", request(0xd1, words(0x100, 0x1000)), "d1:c000"],
  ["ERASE_REGION", request(0xd1, words(AT, 0x10000)), "d1:0000", sum(0x10000), `13:${md5(Buffer.alloc(0x10000, 0xff))}:0000`],

  // the first C0 of the next request ends the frame; its last one comes before the receiver has a buffer again
  ["closing C0 lost: the next plain request is answered", READ.slice(0, -1), "", READ, "0a:0000", READ, "0a:0000"],
  ["opening C0 lost: silence for ever", READ.slice(1), "", READ, "", READ, "", READ, ""],
  ["opening C0 doubled: silence for ever", [0xc0, ...READ], "", READ, "", READ, "", READ, ""],
  ["one stray C0: silence for ever", [0xc0], "", READ, "", READ, "", READ, ""],
  ["DB 00 brings an inverted stub back", [0xc0], "", READ, "", [0xdb, 0x00], "", READ, "0a:0000"],
  ["DB 00 while idle is harmless", [0xdb, 0x00], "", READ, "0a:0000"],
  ["frame cut short: the next request only ends it", READ.slice(0, 7), "", READ, "0a:c000", READ, "0a:0000"],
  ["frame with bytes lost inside", [...READ.slice(0, 7), 0xc0], "0a:c000", READ, "0a:0000"],
  ["text while idle", [...Buffer.from("ets Jun  8 2016\r\n")], "", READ, "0a:0000"],
  ["an escape that there is not drops the frame", [0xc0, 0, 0x0a, 0xdb, 0x41], "", READ, "0a:0000"],

  ["one block", begin(0x4000), "02:0000", block(0x03, plain, 0), "03:0000", END, "04:0000", sum(0x4000), `13:${md5(Uint8Array.from(plain))}:0000`],
  ["END twice", begin(0x4000), "02:0000", block(0x03, plain, 0), "03:0000", END, "04:0000", END, "04:c600"],
  ["END while bytes are missing", begin(0x8000), "02:0000", block(0x03, plain, 0), "03:0000", END, "04:c000", END, "04:c000"],
  ["wrong checksum, then the same block", begin(0x4000), "02:0000", block(0x03, plain, 0, 1), "03:c100", block(0x03, plain, 0), "03:0000",
    END, "04:0000", sum(0x4000), `13:${md5(Uint8Array.from(plain))}:0000`],
  ["a block twice, both taken: only the MD5 tells", begin(0x8000), "02:0000", block(0x03, plain, 0), "03:0000", block(0x03, plain, 0), "03:0000",
    END, "04:0000", sum(0x8000), `13:${md5(Uint8Array.from(twice))}:0000`],
  ["inner length wrong", begin(0x4000), "02:0000", request(0x03, [...words(5, 0, 0, 0), 1, 2, 3, 4], checksum([1, 2, 3, 4])), "03:c900"],
  ["the last block's padding is not written", begin(6), "02:0000", block(0x03, [1, 2, 3, 4, 5, 6, 7, 8], 0), "03:0000", END, "04:0000",
    sum(12), `13:${md5(Uint8Array.from([1, 2, 3, 4, 5, 6, 255, 255, 255, 255, 255, 255]))}:0000`],
  ["an offset that is not aligned", begin(5, AT + 3), "02:0000", block(0x03, [1, 2, 3, 4, 5], 0), "03:0000", END, "04:0000",
    sum(9), `13:${md5(Uint8Array.from([255, 255, 255, 1, 2, 3, 4, 5, 255]))}:0000`],
  ["a number is not looked at", begin(0x4000), "02:0000", block(0x03, plain, 9), "03:0000", END, "04:0000"],
  ["BEGIN with the fifth word", request(0x02, words(0x4000, 1, 0x4000, AT, 0)), "02:0000", block(0x03, plain, 0), "03:0000", END, "04:0000"],
  ["BEGIN of another length", request(0x02, words(1, 2, 3)), "02:c000"],
  ["BEGIN again in the middle", begin(0x8000), "02:0000", block(0x03, plain, 0), "03:0000", begin(0x4000), "02:0000", block(0x03, plain, 0), "03:0000", END, "04:0000"],

  ["compressed", deflBegin(0x8000, packed), "10:0000", block(0x11, packed, 0), "11:0000", DEFL_END, "12:0000", sum(0x8000), `13:${md5(Uint8Array.from(twice))}:0000`],
  ["compressed, three blocks", deflBegin(40000, noisePacked), "10:0000", block(0x11, part(noisePacked, 0), 0), "11:0000", block(0x11, part(noisePacked, 1), 1), "11:0000",
    block(0x11, part(noisePacked, 2), 2), "11:0000", DEFL_END, "12:0000", sum(40000), `13:${md5(noise)}:0000`],
  ["compressed, checksum wrong, then the same block", deflBegin(0x8000, packed), "10:0000", block(0x11, packed, 0, 1), "11:c100", block(0x11, packed, 0), "11:0000",
    DEFL_END, "12:0000", sum(0x8000), `13:${md5(Uint8Array.from(twice))}:0000`],
  ["compressed stream cut short", deflBegin(0x8000, packed), "10:0000", block(0x11, packed.slice(0, -40), 0), "11:0000", DEFL_END, "12:c000", DEFL_END, "12:c000"],
  ["corrupt stream: the next request is told, and not executed", deflBegin(0x8000, packed), "10:0000", block(0x11, corrupt(packed, 40), 0), "11:0000",
    sum(0x8000), "13:c700", READ, "0a:0000", deflBegin(0x8000, packed), "10:0000", block(0x11, packed, 0), "11:0000", DEFL_END, "12:0000",
    sum(0x8000), `13:${md5(Uint8Array.from(twice))}:0000`],
  ["a write past the flash: the next request is told", begin(0x1000, 0x3ff000 + 0x1000), "02:c400"],
  ["a write across the flash's end", begin(0x2000, 0x3ff000), "02:0000", block(0x03, plain.slice(0, 0x2000), 0), "03:0000", READ, "0a:c400", END, "04:c000"],
  ["MD5 past the flash", sum(0x1000, 0x400000), "13:c400"],
  ["READ_FLASH past the flash: told late", request(0xd2, words(0x400000, 4, 0x1000, 64)), "d2:0000", READ, "0a:c400"],
  ["ERASE_REGION of nothing", request(0xd1, words(AT, 0)), "d1:0000"],
  ["READ_FLASH: data, an acknowledgement, the MD5", request(0xd2, words(0x3f0000, 4, 0x1000, 64)), "d2:0000 raw:ffffffff",
    frame(words(4)), `raw:${md5(Buffer.alloc(4, 0xff))}`],
  ["READ_FLASH: an acknowledgement of another length ends it", request(0xd2, words(0x3f0000, 8, 4, 64)), "d2:0000 raw:ffffffff",
    frame([1, 2, 3]), `raw:${md5(Buffer.alloc(4, 0xff))}`, READ, "0a:0000"],
  ["READ_FLASH of larger packets than there is room for: told late", request(0xd2, words(0, 0x2000, 0x2000, 64)), "d2:0000", READ, "0a:c000"],
];

async function resynchronise(wire) {
  for (let i = 0; i < 5; i++) {
    await wire.send([0xdb, 0x00]);
    await sleep(10);
    await wire.frames(0, 0);
    if ((await wire.ask(READ)) === "0a:0000") break;
  }
  await wire.ask(begin(0)); // out of flash mode: a region of nothing, ended
  await wire.ask(END);
}

const url = process.argv[2];
const only = process.argv[3];
const port = openable(url);
await port.open({ baudRate: 115200 });
const wire = new Wire(port);
const chip = await loadStub(port, wire);
let differ = 0;
for (const [name, ...steps] of ROWS) {
  if (only && !name.includes(only)) continue;
  await resynchronise(wire);
  if (steps.some((s) => Array.isArray(s) && s[1] === 0 && [0x02, 0x10].includes(s[2]))) await wire.ask(request(0xd1, words(AT, 0x10000)));
  const got = [], want = [];
  for (let i = 0; i < steps.length; i += 2) {
    const expected = steps[i + 1] === "" ? [] : steps[i + 1].split(" ");
    got.push(await wire.ask(steps[i], Math.max(expected.length, 1), expected.length ? 3000 : 100));
    want.push(steps[i + 1]);
  }
  if (got.join(" | ") === want.join(" | ")) continue;
  differ++;
  console.log(`${chip}: ${name}\n    wanted ${want.join(" | ")}\n    got    ${got.join(" | ")}`);
}
console.log(`${chip}: ${ROWS.length - differ} rows alike, ${differ} differ`);
await port.close();
process.exit(differ ? 1 : 0);
