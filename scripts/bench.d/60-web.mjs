#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// What people looking cost: 64 slots updating five times a second. The board is fed (tests/browser/fake_board.c), so
// that the CPU counted for the station is the server's alone and not that of flashing.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import * as b from "./lib.mjs";

if (!existsSync("/usr/bin/chromium") || !existsSync("build/npm-browser")) {
  console.log("chromium or build/npm-browser is missing (scripts/need test, scripts/fetch-npm tests)");
  process.exit(77);
}
execFileSync("make", ["-s", "VARIANT=release", "build/release/fake_board"]);
process.env.B = "build/release";
const { fakeBoard, launch } = await import("../../tests/browser/lib.mjs");

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"])); // of /proc/PID/stat
const SECONDS = b.QUICK ? 4 : 10, VIEWERS = 20;
const cpu = (pid) => {
  const f = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  return (Number(f[11]) + Number(f[12])) / TICKS;
};
// Share of one core that `pid` uses, in per cent, as often as there are runs.
async function shares(pid) {
  const list = [];
  for (let i = 0; i < b.RUNS; i++) {
    const before = cpu(pid), t = process.hrtime.bigint();
    await b.sleep(SECONDS * 1000);
    list.push((cpu(pid) - before) / (Number(process.hrtime.bigint() - t) / 1e9) * 100);
  }
  return list;
}

const line = await fakeBoard("slots=64");
b.say(`${VIEWERS} viewers of 64 slots`);
const readers = Array.from({ length: VIEWERS }, () => spawn("curl", ["-sN", "-o", "/dev/null", `${line.url}/api/events`]));
await b.sleep(1000);
b.row("station: 64 slots, 20 viewers", await shares(line.pid), { unit: "% of a core", target: 3, note: "slots at work, 5 updates a second" });
for (const r of readers) r.kill();

b.say("one viewer in Chromium");
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
const paints = [];
for (let i = 0; i < 5; i++) {
  await page.goto(line.url + "/");
  await page.waitForSelector(".tile");
  paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime));
}
b.row("first paint on loopback", paints, { unit: "ms", target: 300 });
const session = await page.context().newCDPSession(page);
await session.send("Performance.enable", { timeDomain: "threadTicks" });
const busy = async () => (await session.send("Performance.getMetrics")).metrics.find((m) => m.name === "TaskDuration").value;
const browserSession = await browser.newBrowserCDPSession();
const renderer = async () => (await browserSession.send("SystemInfo.getProcessInfo")).processInfo.filter((p) => p.type === "renderer").reduce((s, p) => s + p.cpuTime, 0);
const main = [], whole = [];
for (let i = 0; i < b.RUNS; i++) {
  const m = await busy(), r = await renderer(), t = process.hrtime.bigint();
  await b.sleep(SECONDS * 1000);
  const s = Number(process.hrtime.bigint() - t) / 1e9;
  main.push((await busy() - m) / s * 100);
  whole.push((await renderer() - r) / s * 100);
}
b.row("a viewer's page: 64 slots, its main thread", main, { unit: "% of a core", target: 10 });
b.row("a viewer's page: with its compositing, no graphics card", whole, { unit: "% of a core", target: 10, note: "all renderer processes" });
await browser.close();
await line.stop();
