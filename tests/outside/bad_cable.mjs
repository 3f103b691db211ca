// SPDX-License-Identifier: Apache-2.0
//
// bad_cable.mjs [options] HOST:PORT: a network serial server (RFC 2217) with a bad cable behind it, and at the
// cable's end a board that speaks raw TCP (stub-board). Prints "listening on 127.0.0.1:N" when ready, serves one
// client after the other, and says on standard error, when a client has left, what it damaged.
//
//   --listen HOST:PORT   default 127.0.0.1:0
//   --seed N             damage is the same for the same seed and the same bytes
//   --mean N             a damage every N bytes on average, 0: none (default 0)
//   --kinds LIST         of flip,drop,double,insert (default all)
//   --direction WHICH    out (to the board), in (from it), both (default)
//   --above BAUD         damage only when the client's speed is above this (default 0)
//   --limit N            after N damages the cable is good (default: never)
//   --burst N            a bridge that cannot keep up: of the bytes that the client sends without a pause of 1 ms, every
//                        Nth is lost, 0: none (default 0). The board's answers then take 2 ms, as over USB, so that
//                        asking and being answered is a pause. Counted as "burst"; --limit and --kinds do not hold
//
// DTR and RTS work as on a development board: RTS alone holds the chip in reset, DTR alone holds its strap low,
// both or none do neither. Leaving reset with the strap low makes a new connection to the board, which is how a
// stub-board resets; with the strap high the board is deaf and sends an application's boot text.

import net from "node:net";
import { parseArgs } from "node:util";
import { command, escapeData, TelnetReader } from "./rfc2217.mjs";

const { values: opt, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    seed: { type: "string", default: "1" },
    mean: { type: "string", default: "0" },
    kinds: { type: "string", default: "flip,drop,double,insert" },
    direction: { type: "string", default: "both" },
    above: { type: "string", default: "0" },
    limit: { type: "string", default: "0" },
    burst: { type: "string", default: "0" },
  },
});
const kinds = opt.kinds.split(",");
const mean = Number(opt.mean), limit = Number(opt.limit) || Infinity, burst = Number(opt.burst);
const pauseMs = 1, usbMs = 2;
const address = (text) => ({ host: text.replace(/:\d+$/, ""), port: Number(/(\d+)$/.exec(text)[1]) });
if (positionals.length !== 1) {
  process.stderr.write("usage: node bad_cable.mjs [options] HOST:PORT (see the head of the file)\n");
  process.exit(2);
}

function random(seed) { // mulberry32: a full period of 2^32, enough for one cable
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Cable { // one direction
  constructor(rnd, count) {
    this.rnd = rnd;
    this.count = count;
    this.next = this.gap();
  }
  gap() {
    return mean ? Math.max(1, Math.round(-Math.log(1 - this.rnd()) * mean)) : Infinity;
  }
  pass(bytes, good) {
    if (good || !mean) return bytes;
    const out = [];
    for (const b of bytes) {
      if (--this.next > 0 || this.count.total >= limit) {
        out.push(b);
        continue;
      }
      this.next = this.gap();
      const kind = kinds[Math.floor(this.rnd() * kinds.length)];
      this.count[kind] = (this.count[kind] ?? 0) + 1;
      this.count.total++;
      if (kind === "flip") out.push(b ^ (1 << Math.floor(this.rnd() * 8)));
      if (kind === "double") out.push(b, b);
      if (kind === "insert") out.push(b, Math.floor(this.rnd() * 256));
    }
    return Uint8Array.from(out);
  }
}

class Bridge { // client to board: loses a byte in every `burst` that come without a pause
  constructor(count) {
    this.count = count;
    this.run = 0;
    this.last = -Infinity;
  }
  pass(bytes) {
    const now = performance.now();
    if (!burst) return bytes;
    if (now - this.last >= pauseMs) this.run = 0;
    const out = bytes.filter((_, i) => (this.run + i + 1) % burst !== 0);
    this.run += bytes.length;
    this.last = now;
    this.count.burst = (this.count.burst ?? 0) + bytes.length - out.length;
    return out;
  }
}

// ---- the board's end: it lives on while clients come and go ------------------------------------------------

const count = { total: 0 };
const rnd = random(Number(opt.seed));
const out = new Cable(rnd, count), back = new Cable(rnd, count), bridge = new Bridge(count);
let baud = 115200, dtr = 0, rts = 0, inReset = false, board = null, client = null;

const good = (which) => baud <= Number(opt.above) || (opt.direction !== "both" && opt.direction !== which);
const toClientNow = (bytes) => client?.writable && client.write(escapeData(Uint8Array.from(bytes)));
const toClient = (bytes) => (burst ? setTimeout(() => toClientNow(bytes), usbMs) : toClientNow(bytes));

function boot(download) {
  board?.destroy();
  board = null;
  const mode = download ? "0x5 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download" : "0xd (SPI_FAST_FLASH_BOOT)";
  toClient(Buffer.from(`ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:${mode}\r\n`));
  if (!download) return;
  const b = (board = net.connect({ ...address(positionals[0]), noDelay: true }));
  b.on("data", (bytes) => b === board && toClient(back.pass(bytes, good("in"))));
  b.on("error", () => {});
}

function setLine(v) {
  if (v === 8 || v === 9) dtr = v === 8 ? 1 : 0;
  if (v === 11 || v === 12) rts = v === 11 ? 1 : 0;
  const reset = rts && !dtr;
  if (reset) board = (board?.destroy(), null);
  if (inReset && !reset) setTimeout(() => boot(dtr && !rts), 2); // EN rises slowly: the strap is read after
  inReset = reset;
}

// ---- the client's end ------------------------------------------------------------------------------------------

// what the server says to a command: for a speed and a line the state that is now, for anything else the same value
function obey(code, value) {
  if (code === 1) {
    const wanted = value.reduce((sum, x) => sum * 256 + x, 0);
    if (wanted) baud = wanted; // 0 only asks
    return [baud >>> 24, (baud >> 16) & 255, (baud >> 8) & 255, baud & 255];
  }
  if (code === 5) setLine(value[0]);
  return value;
}

const server = net.createServer((socket) => {
  const reader = new TelnetReader();
  client?.destroy();
  client = socket;
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("close", () => process.stderr.write(`bad cable: seed ${opt.seed}: ${JSON.stringify(count)}\n`));
  socket.on("data", (bytes) => {
    const got = reader.feed(bytes);
    for (const [verb, option] of got.options) // agree to binary, no go-ahead and COM port, to nothing else
      if (verb === 251) socket.write(Uint8Array.from([255, [0, 3, 44].includes(option) ? 253 : 254, option]));
      else if (verb === 253 && [0, 3].includes(option)) socket.write(Uint8Array.from([255, 251, option]));
    for (const [code, value] of got.answers) socket.write(command(code + 100, obey(code, [...value])));
    if (got.data.length && board) board.write(Buffer.from(out.pass(bridge.pass(Uint8Array.from(got.data)), good("out"))));
  });
});
boot(true); // as it is found: in the loader
server.listen(address(opt.listen), () => process.stdout.write(`listening on 127.0.0.1:${server.address().port}\n`));
