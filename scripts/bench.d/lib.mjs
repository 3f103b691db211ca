// SPDX-License-Identifier: Apache-2.0
//
// What the sections of the bench share: the assumptions, simulated boards in a process of their own, clients, and
// reading the simulator's journal. Everything a section measures about a client comes from that journal: the board's
// clock, the same for every client.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const env = process.env;
export const FL = env.BENCH_FL;
export const OUT = env.BENCH_OUT;
export const RUNS = Number(env.BENCH_RUNS ?? 3);
export const QUICK = env.BENCH_QUICK === "1";
export const model = JSON.parse(env.BENCH_MODEL);
export const IMAGE = { file: env.BENCH_IMAGE, offset: 0x1000, chip: "esp32" };

const OP = { BEGIN: [0x02, 0x10], DATA: [0x03, 0x11], END: [0x04, 0x12], MD5: [0x13] };

// ---- rows -----------------------------------------------------------------------------------------------------

export const median = (list) => {
  const s = [...list].sort((a, b) => a - b);
  return s.length === 0 ? NaN : s.length % 2 ? s[(s.length - 1) / 2] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2;
};

// One row of the table: `values` are the runs; `limit` what the model says is possible; `target` with its sense
// ("<=" or ">="); rows without a target inform.
export function row(what, values, { unit = "", limit = null, target = null, sense = "<=", note = "" } = {}) {
  const list = (Array.isArray(values) ? values : [values]).filter((v) => Number.isFinite(v));
  const value = list.length ? median(list) : null;
  const met = target === null || value === null ? null : sense === "<=" ? value <= target : value >= target;
  process.stdout.write(`${JSON.stringify({
    what, unit, value, min: list.length ? Math.min(...list) : null, max: list.length ? Math.max(...list) : null,
    runs: list.length, limit, target, sense, met, note,
  })}\n`);
}

export const say = (text) => process.stderr.write(`   ${text}\n`);

// ---- processes ------------------------------------------------------------------------------------------------

const children = new Set();
process.on("exit", () => { for (const c of children) c.kill(); });
for (const s of ["SIGINT", "SIGTERM"]) process.on(s, () => process.exit(1));

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Runs a program under `usage`: resolves to its cost, exit code and standard output.
export function run(argv, { cwd } = {}) {
  const dir = mkdtempSync(join(OUT, "run-"));
  return new Promise((done) => {
    const c = spawn(env.BENCH_USAGE, [join(dir, "usage"), ...argv], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let out = "", err = "";
    const came = []; // when each line of standard output was there, on the wall clock
    children.add(c);
    c.stdout.on("data", (d) => {
      out += d;
      for (let n = String(d).split("\n").length - 1; n > 0; n--) came.push(Date.now());
    });
    c.stderr.on("data", (d) => { err += d; });
    c.on("close", (code) => {
      children.delete(c);
      const file = join(dir, "usage");
      const usage = existsSync(file) ? JSON.parse(readFileSync(file)) : {};
      rmSync(dir, { recursive: true, force: true });
      done({ code, out, err, came, ...usage, cpu_s: ((usage.user_us ?? 0) + (usage.system_us ?? 0)) / 1e6 });
    });
  });
}

// Simulated boards that take their time. stop() resolves to { sessions, cpu_s }.
export async function boards(n, { chip = "esp32", scenario = null, pace = "real" } = {}) {
  const dir = mkdtempSync(join(OUT, "sim-"));
  const journal = join(dir, "journal"), station = join(dir, "station.yaml"), timing = join(dir, "timing.yaml");
  const t = Object.entries(model.board).map(([k, v]) => `${k}: ${v}`).join(", ");
  writeFileSync(timing, `timing: {${t}}\n${scenario ?? ""}`);
  const argv = [join(dir, "usage"), FL, "sim", "--boards", String(n), "--listen", "127.0.0.1:0", "--chip", chip,
    "--station-file", station, "--scenario", timing, "--pace", pace, "--journal", journal];
  const c = spawn(env.BENCH_USAGE, argv, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const stopNow = () => { try { process.kill(-c.pid, "SIGTERM"); } catch { /* it is gone */ } };
  const handle = { kill: stopNow };
  let err = "";
  children.add(handle);
  c.stderr.on("data", (d) => { err += d; });
  await new Promise((ready, failed) => {
    c.stdout.once("data", ready);
    c.once("close", () => failed(new Error(`the simulator did not start: ${err}`)));
  });
  const ended = new Promise((done) => c.once("close", done));
  const ports = [...readFileSync(station, "utf8").matchAll(/port: "([^"]+)"/g)].map((m) => m[1]);
  return {
    dir, station, ports,
    async stop() {
      // `usage` must outlive the simulator to write down what it cost: only the simulator is told to stop
      const kids = readFileSync(`/proc/${c.pid}/task/${c.pid}/children`, "utf8").trim().split(/\s+/);
      for (const k of kids) process.kill(Number(k), "SIGTERM");
      await ended;
      children.delete(handle);
      const usage = JSON.parse(readFileSync(join(dir, "usage")));
      const { sessions, start_us } = readJournal(journal);
      rmSync(dir, { recursive: true, force: true });
      return { sessions, start_us, cpu_s: (usage.user_us + usage.system_us) / 1e6 };
    },
  };
}

// ---- the journal ----------------------------------------------------------------------------------------------

// One client's stay at one board, in seconds on the board's clock.
function measure(events) {
  const came = events[0], frames = events.filter((e) => e.what === "frame");
  if (frames.length === 0) return null;
  const last = events.filter((e) => e.what === "frame" || (e.what === "lines" && e.us < events.at(-1).us)).at(-1);
  const s = { board: came.board, begin_us: came.us, seconds: (last.us - came.us) / 1e6, events, frames,
    requests: frames.length, data_s: 0, data_bytes: 0, md5_s: 0, baud: frames.at(-1).baud };
  let begin = null;
  frames.forEach((f, i) => {
    const next = frames[i + 1];
    if (OP.BEGIN.includes(f.op) && !begin) begin = f;
    // the loader without END (a ROM), or a client that goes on: the data ends with the next other request
    else if (begin && !OP.DATA.includes(f.op)) {
      s.data_s += (f.us - begin.us) / 1e6;
      s.data_bytes += f.down - begin.down;
      begin = OP.BEGIN.includes(f.op) ? f : null;
    }
    if (OP.MD5.includes(f.op) && next) s.md5_s += (next.work - f.work) / 1e6;
  });
  s.wire_s = s.data_bytes * 10 / s.baud;
  s.flash_s = frames.at(-1).work / 1e6 - frames[0].work / 1e6 - s.md5_s;
  s.outside_s = s.seconds - s.data_s - s.md5_s;
  return s;
}

export function readJournal(file) {
  const sessions = [], open = new Map();
  let start_us = 0;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (!line) continue;
    const e = JSON.parse(line);
    if (e.what === "start") start_us = e.monotonic_us;
    else if (e.what === "client") open.set(e.board, [e]);
    else open.get(e.board)?.push(e);
    if (e.what === "left") {
      const m = measure(open.get(e.board));
      if (m) sessions.push(m);
      open.delete(e.board);
    }
  }
  // a simulator that is stopped in the moment in which many clients end need not have seen them leave
  for (const events of open.values()) {
    const m = measure([...events, { us: Infinity, board: events[0].board, what: "left" }]);
    if (m) sessions.push(m);
  }
  return { sessions, start_us };
}

// Where the time of one stay went, by step, for people.
export function timeline(s) {
  const names = { 2: "write", 3: "write", 4: "write", 16: "write", 17: "write", 18: "write", 5: "stub upload", 6: "stub upload",
    7: "stub upload", 8: "sync", 9: "registers", 10: "registers", 11: "attach", 13: "attach", 15: "speed", 19: "md5", 20: "registers" };
  const sums = new Map();
  let at = s.begin_us, lines = true;
  for (const e of s.events.slice(1)) {
    if (e.what === "left") break;
    const name = e.what === "lines" ? "reset" : names[e.op] ?? `command ${e.op}`;
    const sum = sums.get(name) ?? { ms: 0, n: 0 };
    sum.ms += (e.us - at) / 1000;
    sum.n += 1;
    sums.set(name, sum);
    at = e.us;
    lines = e.what === "lines";
  }
  return [...sums].map(([name, { ms, n }]) => `${name} ${ms.toFixed(0)} ms (${n})`).join(", ") + (lines ? "" : "; no reset at the end");
}

// ---- the limit model ------------------------------------------------------------------------------------------

export const zlib9 = Number(env.BENCH_ZLIB9); // bytes of the whole image as one stream of zlib at level 9
export const wireSeconds = (bytes, baud) => bytes * 10 / baud;

export async function planOf(profile) {
  const { out, code, err } = await run([FL, "plan", profile, "--flash-size", "4MB", "--format", "json"]);
  if (code !== 0) throw new Error(err);
  const regions = JSON.parse(out.split("\n")[0]).regions;
  const sum = (f) => regions.reduce((n, r) => n + f(r), 0);
  return { regions, plain: sum((r) => r.size), sent: sum((r) => r.bytes), wire: sum((r) => r.wire_bytes) };
}

// What wire and flash allow the data phase together, as a part of the wire's rate, by baud: section 05 knows the blocks.
export function flashModel() {
  const rows = execFileSync("scripts/bench.d/05-own-clock", { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const part = rows.split("\n").filter(Boolean).map((l) => JSON.parse(l))
    .map((r) => [/^(\d+): the flash model's rate/.exec(r.what)?.[1], r.value]).filter(([baud]) => baud);
  return new Map(part.map(([baud, value]) => [Number(baud), value]));
}

// The least one attempt on a blank board can take, part by part, in seconds.
export function limits(plan, baud) {
  const m = model, b = m.board, turn = (b.usb_us + b.stub_us) / 1e6, ack = 12 * 10 / baud;
  const frames = Math.ceil(plan.sent / m.block) + plan.regions.length;
  const pages = Math.ceil(plan.plain / 256), program = pages * b.page_us / 1e6;
  const wire = wireSeconds(plan.wire, baud);
  return {
    reset: m.reset_ms / 1e3 + b.en_us / 1e6,
    sync: wireSeconds(m.sync_bytes, m.rom_baud) + (b.usb_us + b.rom_us) / 1e6,
    identify: m.rom_reads * (wireSeconds(28, m.rom_baud) + (b.usb_us + b.rom_us) / 1e6),
    stub: wireSeconds(m.stub_bytes, baud) + m.stub_frames * (b.usb_us + b.rom_us) / 1e6 + m.stub_start_ms / 1e3,
    data: Math.max(wire + frames * (turn + ack), program),
    md5: plan.plain / 1024 * b.md5_stub_us_per_kb / 1e6,
    run: m.reset_ms / 1e3,
  };
}
export const total = (parts) => Object.values(parts).reduce((a, b) => a + b, 0);

// What compressing the image costs, once a process: a plan with the image against one with next to nothing.
export async function squeezeSeconds() {
  const part = join(OUT, "little.bin"), dir = join(OUT, "profiles");
  writeFileSync(part, Buffer.alloc(4096));
  mkdirSync(dir, { recursive: true });
  const file = join(dir, "little.yaml");
  writeFileSync(file, `profile: little\nversion: "1"\nchip: esp32\nimages: [{offset: 0x9000, file: ${JSON.stringify(part)}}]\n`);
  const cost = async (p) => {
    const r = await run([FL, "plan", p, "--flash-size", "4MB", "--format", "json"]);
    if (r.code !== 0) throw new Error(r.err);
    return r.cpu_s;
  };
  return await cost(profileAt(921600)) - await cost(file);
}

// ---- clients --------------------------------------------------------------------------------------------------

export function profileAt(baud, { skip = true, name = `bench-${baud}` } = {}) {
  const dir = join(OUT, "profiles");
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${name}.yaml`);
  writeFileSync(file, `profile: ${name}\nversion: "1"\nchip: esp32\nserial: {baud: ${baud}}
flash: {mode: dio, freq: 80m, size: detect, skip_matching: ${skip}}
images: [{offset: 0x1000, file: ${JSON.stringify(IMAGE.file)}}]\n`);
  return file;
}

let folders = 0;
export const dataFolder = () => join(OUT, `data-${process.pid}-${folders++}`);

// Each client flashes the image at one port. esptool-js hashes and confirms as esptool does.
export const clients = [
  {
    name: "flashline",
    run: (port, baud, data = dataFolder()) =>
      run([FL, "flash", "--profile", profileAt(baud), "--port", port, "--data", data, "--format", "json"]),
  },
  {
    name: "esptool-js",
    run: (port, baud) => run(["node", "tests/outside/flash.mjs", "--baud", String(baud), port, `${IMAGE.file}@0x1000`]),
  },
];
if (env.ESPTOOL)
  clients.push({
    name: "esptool",
    run: (port, baud) => run([...env.ESPTOOL.trim().split(/\s+/), "--chip", "esp32", "--port", port, "--baud", String(baud), "write_flash",
      "--flash_mode", "dio", "--flash_freq", "80m", "--flash_size", "detect", "0x1000", IMAGE.file]),
  });
export const others = clients.filter((c) => c.name !== "flashline");

// The data folder with its key made before anything is measured.
export async function madeFolder() {
  const data = dataFolder();
  await run([FL, "flash", "--profile", profileAt(115200), "--port", "socket://127.0.0.1:1", "--data", data]);
  return data;
}
