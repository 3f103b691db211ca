// SPDX-License-Identifier: Apache-2.0
//
// rfc2217.mjs: a serial port behind a network serial server (rfc2217://HOST:PORT) or raw TCP
// (socket://HOST:PORT: no speed, no lines), in the shape of the Web Serial API.
//
// What esptool-js asks of a port: open({baudRate}), close(), getInfo(), setSignals({dataTerminalReady,
// requestToSend}), the two streams `readable` and `writable`, and, where a port has it, setBaudRate(n).
//
// On the wire: telnet (RFC 854) with the COM port option (RFC 2217). Data bytes travel as they are, except
// that FF is doubled. A command is
//
//     FF FA 2C  code  value...  FF F0        (a value byte FF is doubled as well)
//
// and the server answers each with the same frame, code + 100. Every command here waits for its answer: a
// reset sequence whose pulses were merely queued would prove nothing about the server.

import net from "node:net";

const IAC = 255, DONT = 254, DO = 253, WONT = 252, WILL = 251, SB = 250, SE = 240;
const BINARY = 0, SUPPRESS_GO_AHEAD = 3, COM_PORT = 44;
const SET_BAUDRATE = 1, SET_DATASIZE = 2, SET_PARITY = 3, SET_STOPSIZE = 4, SET_CONTROL = 5;
const ANSWER = 100; // a server's answer carries the command's code plus this
const CONTROL = { noFlow: 1, breakOn: 5, breakOff: 6, dtrOn: 8, dtrOff: 9, rtsOn: 11, rtsOff: 12 };
const ANSWER_WITHIN_MS = 5000;

export function escapeData(bytes) {
  const n = bytes.reduce((sum, b) => sum + (b === IAC ? 1 : 0), bytes.length);
  if (n === bytes.length) return bytes;
  const out = new Uint8Array(n);
  let at = 0;
  for (const b of bytes) {
    out[at++] = b;
    if (b === IAC) out[at++] = IAC;
  }
  return out;
}

export function command(code, value) {
  return Uint8Array.from([IAC, SB, COM_PORT, code, ...escapeData(Uint8Array.from(value)), IAC, SE]);
}

// Splits what a server sends into data, option replies and COM port answers. Bytes may be cut anywhere.
export class TelnetReader {
  #state = "data";
  #verb = 0;
  #sub = [];

  // Returns { data: Uint8Array, options: [[verb, option]...], answers: [[code, Uint8Array]...] }
  feed(bytes) {
    const data = new Uint8Array(bytes.length);
    const out = { options: [], answers: [] };
    let n = 0;
    for (const b of bytes) {
      switch (this.#state) {
        case "data":
          if (b === IAC) this.#state = "iac";
          else data[n++] = b;
          break;
        case "iac":
          if (b === IAC) {
            data[n++] = b;
            this.#state = "data";
          } else if (b === SB) {
            this.#sub = [];
            this.#state = "sub";
          } else if (b >= WILL) {
            this.#verb = b;
            this.#state = "option";
          } else this.#state = "data"; // NOP, GA and the like carry nothing
          break;
        case "option":
          out.options.push([this.#verb, b]);
          this.#state = "data";
          break;
        case "sub":
          if (b === IAC) this.#state = "sub-iac";
          else this.#sub.push(b);
          break;
        case "sub-iac":
          if (b === SE) {
            const [option, code, ...value] = this.#sub;
            if (option === COM_PORT) out.answers.push([code, Uint8Array.from(value)]);
            this.#state = "data";
          } else {
            this.#sub.push(b);
            this.#state = "sub";
          }
          break;
      }
    }
    out.data = data.subarray(0, n);
    return out;
  }
}

// Raw TCP: bytes and nothing else. Lines and speed are accepted and go nowhere.
export class SocketPort {
  readable = null;
  writable = null;
  #host;
  #port;
  #socket = null;
  #stream = null; // controller of `readable`
  #lost = null; // Error, once the connection is gone

  constructor(url, scheme = "socket") {
    const m = new RegExp(`^${scheme}://(\\[[^\\]]+\\]|[^:/]+):(\\d+)$`).exec(url);
    if (!m) throw new Error(`not an address of the form ${scheme}://HOST:PORT: ${url}`);
    this.#host = m[1].replace(/^\[|\]$/g, "");
    this.#port = Number(m[2]);
  }

  getInfo() {
    return {}; // the network does not say which USB bridge is behind it
  }

  async open() {
    if (this.#socket) throw new Error("the port is open already");
    this.#lost = null;
    await this.#connect();
    this.readable = new ReadableStream({ start: (c) => (this.#stream = c), cancel: () => (this.#stream = null) });
    this.writable = new WritableStream({ write: (bytes) => this.send(this.encode(bytes)) });
  }

  async close() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    this.readable = this.writable = null;
    if (socket.closed) return; // the peer was first
    await new Promise((done) => {
      const timer = setTimeout(() => socket.destroy(), 1000); // a peer that does not close its half
      socket.once("close", () => (clearTimeout(timer), done()));
      socket.end();
    });
  }

  async setSignals() {}
  async setBaudRate() {}

  // what a kind of port changes: bytes on their way out and in, and the end of the connection
  encode(bytes) {
    return bytes;
  }
  received(bytes) {
    this.deliver(bytes);
  }
  ended() {}

  send(bytes) {
    if (this.#lost || !this.#socket) return Promise.reject(this.#lost ?? new Error("the port is closed"));
    return new Promise((resolve, reject) => this.#socket.write(bytes, (e) => (e ? reject(e) : resolve())));
  }
  deliver(data) {
    if (data.length && this.#stream) this.#stream.enqueue(data);
  }

  #connect() {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: this.#host, port: this.#port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        socket.on("error", (e) => this.#fail(e));
        socket.on("close", () => this.#fail(new Error("the server closed the connection")));
        socket.on("data", (bytes) => this.received(bytes));
        this.#socket = socket;
        resolve();
      });
    });
  }

  #fail(error) {
    if (this.#lost) return;
    this.#lost = error;
    this.ended(error);
    try {
      this.#stream?.error(error);
    } catch {
      // the stream has been cancelled already
    }
  }
}

export class Rfc2217Port extends SocketPort {
  #reader = null;
  #waiting = []; // {code, value, resolve, reject, timer}, in the order sent
  #agreed = null; // {resolve, reject} until the server has answered WILL COM-PORT

  // inPlace: false takes away the speed change without closing the port, which a browser does not have
  constructor(url, { inPlace = true } = {}) {
    super(url, "rfc2217");
    if (!inPlace) this.setBaudRate = undefined;
  }

  async open({ baudRate }) {
    this.#reader = new TelnetReader();
    await super.open();
    await this.#negotiate();
    await this.#setBaud(baudRate);
    await this.#ask(SET_DATASIZE, [8]);
    await this.#ask(SET_PARITY, [1]);
    await this.#ask(SET_STOPSIZE, [1]);
    await this.#ask(SET_CONTROL, [CONTROL.noFlow]);
  }

  // DTR before RTS, as every loader does: (DTR 0, RTS 1) must become (1, 0) by way of (1, 1), never of
  // (0, 0), which would let the chip start with its strap high.
  async setSignals({ dataTerminalReady, requestToSend, break: sendBreak }) {
    const values = [];
    if (dataTerminalReady !== undefined) values.push(dataTerminalReady ? CONTROL.dtrOn : CONTROL.dtrOff);
    if (requestToSend !== undefined) values.push(requestToSend ? CONTROL.rtsOn : CONTROL.rtsOff);
    if (sendBreak !== undefined) values.push(sendBreak ? CONTROL.breakOn : CONTROL.breakOff);
    await Promise.all(values.map((v) => this.#ask(SET_CONTROL, [v])));
  }

  async setBaudRate(baud) {
    await this.#setBaud(baud);
  }

  encode(bytes) {
    return escapeData(bytes);
  }

  received(bytes) {
    const { data, options, answers } = this.#reader.feed(bytes);
    for (const [verb, option] of options) this.#option(verb, option);
    for (const [code, value] of answers) this.#answer(code, value);
    this.deliver(data);
  }

  ended(error) {
    this.#agreed?.reject(error);
    for (const w of this.#waiting.splice(0)) (clearTimeout(w.timer), w.reject(error));
  }

  async #setBaud(baud) {
    const b = [(baud >>> 24) & 255, (baud >>> 16) & 255, (baud >>> 8) & 255, baud & 255];
    const got = await this.#ask(SET_BAUDRATE, b);
    const set = got.reduce((sum, x) => sum * 256 + x, 0);
    if (set !== baud) throw new Error(`the server set ${set} baud instead of ${baud}`);
  }

  async #negotiate() {
    const agreed = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the server did not answer WILL COM-PORT")), ANSWER_WITHIN_MS);
      const settle = (f) => (x) => (clearTimeout(timer), (this.#agreed = null), f(x));
      this.#agreed = { resolve: settle(resolve), reject: settle(reject) };
    });
    const offers = [WILL, BINARY, DO, BINARY, WILL, SUPPRESS_GO_AHEAD, DO, SUPPRESS_GO_AHEAD, WILL, COM_PORT];
    const bytes = [];
    for (let i = 0; i < offers.length; i += 2) bytes.push(IAC, offers[i], offers[i + 1]);
    await this.send(Uint8Array.from(bytes));
    await agreed;
  }

  #ask(code, value) {
    return new Promise((resolve, reject) => {
      const entry = { code, value, resolve, reject };
      entry.timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((w) => w !== entry);
        reject(new Error(`the server did not acknowledge COM port command ${code} value ${value}`));
      }, ANSWER_WITHIN_MS);
      this.#waiting.push(entry);
      this.send(command(code, value)).catch(reject);
    });
  }

  #option(verb, option) {
    if (option === COM_PORT && verb === DO) this.#agreed?.resolve();
    else if (option === COM_PORT && verb === DONT) this.#agreed?.reject(new Error("the server refuses RFC 2217"));
    else if (![BINARY, SUPPRESS_GO_AHEAD, COM_PORT].includes(option)) {
      // refuse what was not offered; answering a refusal would never end
      if (verb === DO) this.send(Uint8Array.from([IAC, WONT, option])).catch(() => {});
      if (verb === WILL) this.send(Uint8Array.from([IAC, DONT, option])).catch(() => {});
    }
  }

  #answer(code, value) {
    const i = this.#waiting.findIndex((w) => w.code + ANSWER === code);
    if (i < 0) return; // NOTIFY-LINESTATE and NOTIFY-MODEMSTATE arrive unasked
    const [w] = this.#waiting.splice(i, 1);
    clearTimeout(w.timer);
    // for a control line the server says what it really set: anything else than asked is a refusal
    if (code === SET_CONTROL + ANSWER && value[0] !== w.value[0])
      w.reject(new Error(`the server answered ${value[0]} to line control ${w.value[0]}`));
    else w.resolve(value);
  }
}

export function openable(url, options) {
  return url.startsWith("socket:") ? new SocketPort(url) : new Rfc2217Port(url, options);
}
