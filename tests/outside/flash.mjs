// SPDX-License-Identifier: Apache-2.0
//
// flash.mjs [options] rfc2217://HOST:PORT|socket://HOST:PORT IMAGE@OFFSET...
//
// Flashes a board with Espressif's esptool-js (a program nobody here wrote) over a network serial server, or
// over raw TCP a board that waits in its loader already, and
// prints one JSON object: chip, MAC, flash id, and for every image the MD5 of the file and the MD5 the chip
// gave for what lies in its flash. What esptool-js says goes to standard error.
//
//   --baud N       speed of the data phase (default 921600)
//   --reopen       change speed as a browser has to: close the port and open it again
//   --read-back    also read every image back and compare the bytes
//   --erase-all    erase the whole flash first
//   --no-compress  plain blocks instead of deflated ones
//   --identify     connect and identify only; no image is needed
//
// Exit: 0 all done and confirmed, 1 esptool-js failed (its words are in "error"), 2 wrong use.
//
// Header bytes stay as the files have them ("keep"): this client's own patching is not what is examined.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openable } from "./rfc2217.mjs";

const esptool = new URL("../../build/npm/node_modules/esptool-js/", import.meta.url);
const { ESPLoader, Transport } = await import(new URL("lib/index.js", esptool));
const { version } = JSON.parse(readFileSync(new URL("package.json", esptool)));

const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");
const say = (text) => process.stderr.write(`${text}\n`);
console.log = (...words) => say(words.join(" ")); // esptool-js traces to standard output otherwise

function usage(text) {
  say(`flash.mjs: ${text}\nusage: node flash.mjs [--baud N] [--reopen] [--read-back] [--erase-all] [--no-compress] [--identify] rfc2217://HOST:PORT|socket://HOST:PORT IMAGE@OFFSET...`);
  process.exit(2);
}

function readArguments() {
  const flag = { type: "boolean", default: false };
  const options = {
    baud: { type: "string", default: "921600" },
    reopen: flag, "read-back": flag, "erase-all": flag, "no-compress": flag, identify: flag,
  };
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [url, ...images] = positionals;
    if (!url || (images.length === 0 && !values.identify)) usage("an address and at least one IMAGE@OFFSET are needed");
    const files = images.map((text) => {
      const m = /^(.+)@(0x[0-9a-fA-F]+|\d+)$/.exec(text);
      if (!m) usage(`not IMAGE@OFFSET: ${text}`);
      return { file: m[1], address: Number(m[2]), data: new Uint8Array(readFileSync(m[1])) };
    });
    return { ...values, baud: Number(values.baud), url, files };
  } catch (e) {
    usage(e.message);
  }
}

// esptool-js pads a file with FF to a multiple of four before it writes and hashes it
function padded(data) {
  const out = new Uint8Array(Math.ceil(data.length / 4) * 4).fill(0xff);
  out.set(data);
  return out;
}

async function flash(loader, want, result) {
  result.chip = await loader.main(want.url.startsWith("socket:") ? "no_reset" : "default_reset");
  result.mac = await loader.chip.readMac(loader);
  result.flash_id = (await loader.readFlashId()).toString(16).padStart(6, "0");
  result.stub = loader.IS_STUB;
  result.baud = loader.baudrate;
  if (want.identify) return;
  await loader.writeFlash({
    fileArray: want.files.map(({ data, address }) => ({ data, address })),
    flashMode: "keep", flashFreq: "keep", flashSize: "keep",
    eraseAll: want["erase-all"],
    compress: !want["no-compress"],
    calculateMD5Hash: md5, // writeFlash throws when the chip's MD5 differs
  });
  for (const { file, data, address } of want.files) {
    const bytes = padded(data);
    const image = { file, offset: address, size: data.length, md5: md5(bytes) };
    result.images.push(image);
    image.device_md5 = await loader.flashMd5sum(address, bytes.length);
    image.confirmed = image.device_md5 === image.md5;
    if (want["read-back"]) image.read_back = md5(await loader.readFlash(address, bytes.length)) === image.md5;
    if (!image.confirmed || image.read_back === false) throw new Error(`${file}: the flash holds something else`);
  }
  await loader.after("hard_reset");
}

// It waits 200 ms for the answer to its last RAM block, which a busy machine may not give in that time; what it does is its own.
class PatientTransport extends Transport {
  read(timeout) {
    return super.read(timeout < 200 ? timeout : Math.max(timeout, 10000));
  }
}

const want = readArguments();
const result = { client: `esptool-js ${version}`, ok: false, images: [] };
let transport = null;
try {
  transport = new PatientTransport(openable(want.url, { inPlace: !want.reopen }));
  const terminal = { clean() {}, writeLine: say, write: (text) => process.stderr.write(text) };
  const loader = new ESPLoader({ transport, baudrate: want.baud, romBaudrate: 115200, terminal });
  await flash(loader, want, result);
  result.ok = true;
} catch (e) {
  result.error = e instanceof Error ? e.message : String(e);
}
await transport?.disconnect().catch((e) => say(`while closing: ${e.message}`));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(result.ok ? 0 : 1));
