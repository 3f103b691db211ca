// SPDX-License-Identifier: Apache-2.0
//
// rfc2217.test.mjs: the outside client's telnet side against literal bytes (RFC 854, RFC 2217 and pyserial's
// documentation of them), and its port against a small scripted server. Run: node --test FILE.

import assert from "node:assert/strict";
import net from "node:net";
import test from "node:test";
import { command, escapeData, Rfc2217Port, TelnetReader } from "./rfc2217.mjs";

const hex = (s) => Uint8Array.from(s.trim().split(/\s+/).map((x) => parseInt(x, 16)));
const text = (bytes) => Buffer.from(bytes).toString("hex");

test("data bytes: only FF is doubled", () => {
  assert.equal(text(escapeData(hex("00 FF C0 FE FF"))), "00ffffc0feffff");
  assert.equal(text(escapeData(hex("C0 DB 0D 00"))), "c0db0d00");
});

test("commands: literal frames", () => {
  assert.equal(text(command(1, [0x00, 0x01, 0xc2, 0x00])), "fffa2c010001c200fff0"); // 115200
  assert.equal(text(command(1, [0x00, 0x00, 0x00, 0xff])), "fffa2c01000000fffffff0"); // a value byte FF is doubled
  assert.equal(text(command(5, [8])), "fffa2c0508fff0"); // DTR on
});

test("reader: every cut of the same bytes gives the same result", () => {
  // DO COM-PORT, data 41, FF as data, answer to SET-BAUDRATE 0x000000FF, NOTIFY-MODEMSTATE, NOP, data 42
  const wire = hex("FF FD 2C 41 FF FF FF FA 2C 65 00 00 00 FF FF FF F0 FF FA 2C 6B 30 FF F0 FF F1 42");
  for (let cut = 1; cut < wire.length; cut++) {
    const reader = new TelnetReader();
    const parts = [reader.feed(wire.subarray(0, cut)), reader.feed(wire.subarray(cut))];
    const data = parts.flatMap((p) => [...p.data]);
    const answers = parts.flatMap((p) => p.answers).map(([code, value]) => [code, text(value)]);
    assert.deepEqual(data, [0x41, 0xff, 0x42], `cut at ${cut}`);
    assert.deepEqual(parts.flatMap((p) => p.options), [[0xfd, 0x2c]]);
    assert.deepEqual(answers, [[101, "000000ff"], [107, "30"]]);
  }
});

// A server that answers the handshake and every command; `answer` may change or withhold an answer's value.
async function withServer(answer, body) {
  const heard = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const reader = new TelnetReader();
    socket.on("data", (bytes) => {
      const got = reader.feed(bytes);
      for (const [verb, option] of got.options) if (verb === 0xfb) socket.write(hex(`FF FD ${option.toString(16)}`));
      for (const [code, value] of got.answers) {
        heard.push([code, text(value)]);
        const reply = answer(code, value, socket);
        if (reply) socket.write(command(code + 100, reply));
      }
      if (got.data.length) socket.write(escapeData(got.data)); // echo
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  try {
    await body(`rfc2217://127.0.0.1:${server.address().port}`, heard);
  } finally {
    for (const s of sockets) s.destroy();
    await new Promise((done) => server.close(done));
  }
}

test("port: open, lines in order, speed, data, close and open again", async () => {
  await withServer((code, value) => value, async (url, heard) => {
    const port = new Rfc2217Port(url);
    for (const baud of [115200, 921600]) {
      heard.length = 0;
      await port.open({ baudRate: baud });
      assert.deepEqual(heard, [[1, baud === 115200 ? "0001c200" : "000e1000"], [2, "08"], [3, "01"], [4, "01"], [5, "01"]]);
      heard.length = 0;
      await port.setSignals({ dataTerminalReady: true, requestToSend: false });
      await port.setBaudRate(1500000);
      assert.deepEqual(heard, [[5, "08"], [5, "0c"], [1, "0016e360"]]);
      const writer = port.writable.getWriter();
      await writer.write(hex("C0 FF FF DB C0"));
      writer.releaseLock();
      const reader = port.readable.getReader();
      const back = [];
      while (back.length < 5) back.push(...(await reader.read()).value);
      assert.deepEqual(back, [0xc0, 0xff, 0xff, 0xdb, 0xc0]);
      await reader.cancel();
      reader.releaseLock();
      await port.close();
    }
  });
});

test("port: a refused line and another speed than asked are errors", async () => {
  await withServer((code, value) => (code === 5 && value[0] === 11 ? [12] : value), async (url) => {
    const port = new Rfc2217Port(url);
    await port.open({ baudRate: 115200 });
    await assert.rejects(port.setSignals({ requestToSend: true }), /answered 12 to line control 11/);
    await port.close();
  });
  await withServer((code, value) => (code === 1 ? [0, 1, 0xc2, 0] : value), async (url) => {
    const port = new Rfc2217Port(url);
    await assert.rejects(port.open({ baudRate: 921600 }), /set 115200 baud instead of 921600/);
    await port.close();
  });
});

test("port: a server that goes away ends what waits", async () => {
  await withServer((code, value, socket) => (code === 5 && value[0] === 8 ? void socket.destroy() : value), async (url) => {
    const port = new Rfc2217Port(url);
    await port.open({ baudRate: 115200 });
    await assert.rejects(port.setSignals({ dataTerminalReady: true }), /closed the connection|ECONNRESET/);
    await port.close();
  });
});
