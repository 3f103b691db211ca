#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// What the records answer, and how fast: reports, a trace and a recall over generated histories (tests/history). One
// million attempts unless RECORDS says otherwise: RECORDS=1,10 for ten as well (5 GB of disk and some ten minutes).
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as b from "./lib.mjs";

execFileSync("make", ["-s", "VARIANT=release", "build/release/make_history"]);
const TIMES = Math.max(b.RUNS, 5);
const millions = (b.env.RECORDS ?? (b.QUICK ? "0.1" : "1")).split(",").map(Number);

function history(args) {
  const dir = mkdtempSync(join(b.OUT, "records-"));
  const facts = JSON.parse(execFileSync("build/release/make_history", [dir, ...args], { encoding: "utf8" }));
  execFileSync("sync"); // else the disk still writes its gigabytes while questions of milliseconds are timed
  return { dir, ...facts };
}

// Milliseconds of each run of the whole program, the first left out: it fills the cache of the disk. What it prints is read, but
// for what is too much to hold.
function measure(args, out = "pipe") {
  const list = [];
  for (let i = 0; i <= TIMES; i++) {
    const t = process.hrtime.bigint();
    const r = spawnSync(b.FL, args, { stdio: ["ignore", out, "inherit"], maxBuffer: 1 << 30 });
    if (r.status !== 0) throw new Error(`${args.join(" ")} ended with ${r.status}`);
    if (i > 0) list.push(Number(process.hrtime.bigint() - t) / 1e6);
  }
  return list;
}

// What a record costs to write with all its rows, and all of them to make again. No copies: their log would not verify.
{
  const n = b.QUICK ? 5000 : 50000;
  const t = process.hrtime.bigint();
  const h = history([`attempts=${n}`, "starts=1", "slots=16", "lots=2"]);
  b.row("attempts appended, with all their rows", [n / (Number(process.hrtime.bigint() - t) / 1e9)], { unit: "/s", note: "start and result; no wait for the disk" });
  b.row("an attempt's start, result and rows in the database", [statSync(join(h.dir, "flashline.db")).size / n], { unit: "bytes", target: 1500 });
  const r = process.hrtime.bigint();
  execFileSync(b.FL, ["db", "rebuild", "--data", h.dir]);
  b.row("attempts whose rows are made again (db rebuild)", [n / (Number(process.hrtime.bigint() - r) / 1e9)], { unit: "/s" });
  rmSync(h.dir, { recursive: true });
}

for (const m of millions) {
  b.say(`a history of ${m} million attempts is made`);
  const times = Math.max(1, Math.round(m / 0.5));
  const h = history([`attempts=${Math.round((m * 1e6) / times)}`, `times=${times}`, "profiles=40", "truth=slot"]);
  const limit = m > 1 ? 1000 : 200;
  const report = (name, ...args) => measure(["report", name, ...args, "--data", h.dir, "--format", "json"]);
  b.row(`${m} M attempts: summary`, report("summary"), { unit: "ms", target: limit });
  b.row(`${m} M attempts: yield by hour`, report("yield", "--group-by", "hour"), { unit: "ms", target: limit });
  b.row(`${m} M attempts: Pareto`, report("pareto"), { unit: "ms", target: limit });
  const cut = ["--since", "2030-01-01T05:14:59", "--until", "2030-01-02T07:16:01"];
  b.row(`${m} M attempts: summary of 26 hours, both ends within a half hour`, report("summary", ...cut), { unit: "ms", target: limit });
  b.row(`${m} M attempts: shifts from 06:15, 14:15 and 22:15`, report("shift", "--shifts", "06:15,14:15,22:15"), { unit: "ms", note: "each border adds up its half hour anew" });
  b.row(`${m} M attempts: blame`, report("blame"), { unit: "ms" });
  const base = b.median(measure(["--version"])); // in the same minute: the machine is not the same a minute later
  b.row(`${m} M attempts: trace of one MAC`, measure(["trace", h.mac, "--data", h.dir]).map((v) => Math.max(0, v - base)),
    { unit: "ms", target: 5, note: "without the start of a program" });
  const recall = measure(["trace", "--image", h.image, "--data", h.dir, "--format", "csv"]);
  b.row(`${m} M attempts: recall of an image`, recall, { unit: "ms", target: 2000, note: "that one unit in 40 got, as CSV" });
  const all = measure(["trace", "--image", h.loader, "--data", h.dir, "--format", "csv"], "ignore");
  b.row(`${m} M attempts: recall of an image that every unit got`, all.map((v) => (h.units * times) / v), { unit: "units/ms", note: "as CSV, 127 bytes a unit: a walk through all attempts" });
  rmSync(h.dir, { recursive: true });
}
