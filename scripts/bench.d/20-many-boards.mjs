#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// Many boards at once in one process: does each go as fast as alone, what does it cost, how soon is it recorded.
import { execFileSync } from "node:child_process";
import * as b from "./lib.mjs";

async function station(n, baud, profile = b.profileAt(baud)) {
  const sim = await b.boards(n), data = await b.madeFolder();
  const r = await b.run([b.FL, "flash", "--profile", profile, "--station", sim.station, "--data", data, "--format", "json"]);
  const done = await sim.stop();
  const attempts = r.out.split("\n").filter(Boolean).map((l) => JSON.parse(l)).filter((a) => a.type === "attempt");
  const passed = attempts.filter((a) => a.outcome === "PASS").length;
  if (done.sessions.length !== n) b.say(`${n} slots at ${baud}: the journal tells of ${done.sessions.length}`);
  if (passed !== n) b.say(`${n} slots at ${baud}: ${passed} PASS; ${r.err.trim().split("\n").at(-1)}`);
  return { ...r, ...done, client_cpu_s: r.cpu_s, sim_cpu_s: done.cpu_s, attempts, passed, data };
}

const seconds = (r) => r.sessions.map((s) => s.seconds);
const many = Number(b.env.BENCH_SLOTS || (b.QUICK ? 16 : 64)), slowly = 4 * many;
b.say(`${many} boards at 921600`);
const alone = await station(1, 921600), all = await station(many, 921600);
const plan = await b.planOf(b.profileAt(921600)), squeezed = await b.squeezeSeconds();
b.row(`${many} slots at 921600: units that passed`, all.passed, { target: many, sense: ">=" });
b.row(`${many} slots at 921600: an attempt against a lone slot's`, seconds(all).map((s) => s / b.median(seconds(alone))), { target: 1.03 });
b.row(`${many} slots at 921600: the slowest against a lone slot's`, Math.max(...seconds(all)) / b.median(seconds(alone)), { target: 1.03 });
b.row(`${many} slots at 921600: CPU, part of one core`, all.client_cpu_s / (all.wall_us / 1e6),
  { target: 0.35 * many / 64, note: `the simulator used ${(all.sim_cpu_s / (all.wall_us / 1e6)).toFixed(2)}` });
b.row(`${many} slots at 921600: resident memory`, all.max_rss_kb / 1024, { unit: "MB", target: 64 + (plan.plain + plan.sent) / 2 ** 20 });
b.row("CPU for each unit flashed", all.client_cpu_s / many, { unit: "s", target: 0.45 / 20, note: "target: 1/20 of esptool 4.12's 0.45 s" });
b.row("CPU for each unit flashed, without the image's compression", (all.client_cpu_s - squeezed) / many, { unit: "s", note: `once a process: ${squeezed.toFixed(2)} s` });

// An attempt is told on standard output when its record is durable; when its work was done stands in the record itself.
const ended = new Map(execFileSync("sqlite3", [`${all.data}/flashline.db`, "SELECT leaf, start_ms + ms FROM attempt"],
  { encoding: "utf8" }).trim().split("\n").map((l) => l.split("|").map(Number)));
const told = all.out.split("\n").filter(Boolean).map((l, i) => ({ ...JSON.parse(l), at: all.came[i] }))
  .filter((a) => a.type === "attempt" && ended.has(a.leaf));
const late = told.map((a) => a.at - ended.get(a.leaf)), ends = told.map((a) => ended.get(a.leaf));
const commits = Number(execFileSync("sqlite3", [`${all.data}/flashline.db`, "SELECT count(*) FROM checkpoint"], { encoding: "utf8" }));
b.row(`${many} attempts ending within ${((Math.max(...ends) - Math.min(...ends)) / 1000).toFixed(1)} s: the last to be durable`,
  Math.max(...late), { unit: "ms", target: 250, note: `${commits} commits in all for ${2 * many} records` });
b.row(`${many} attempts: a slot's wait for its record`, late, { unit: "ms", target: 50 });
b.row(`${many} attempts: the longest wait for a record, and so of a next start`, Math.max(...late), { unit: "ms", target: 50 });

if (!b.QUICK) {
  for (const client of b.others) {
    b.say(`${many} processes of ${client.name} at 921600`);
    const sim = await b.boards(many), t0 = Date.now();
    const rs = await Promise.all(sim.ports.map((p) => client.run(p, 921600)));
    const wall = (Date.now() - t0) / 1000, cpu = rs.reduce((n, r) => n + r.cpu_s, 0);
    const { cpu_s } = await sim.stop();
    b.row(`${many} boards, flashline's time against ${many} x ${client.name}`, all.wall_us / 1e6 / wall,
      { target: client.name === "esptool" ? 0.5 : null, note: `${(all.wall_us / 1e6).toFixed(1)} s against ${wall.toFixed(1)} s; the simulator used ${cpu_s.toFixed(1)} s` });
    b.row(`${many} boards, flashline's CPU against ${many} x ${client.name}`, all.client_cpu_s / cpu,
      { target: client.name === "esptool" ? 1 / 40 : null, note: `${all.client_cpu_s.toFixed(2)} s against ${cpu.toFixed(1)} s; ${rs.filter((r) => r.code !== 0).length} failed` });
  }
  if (!b.env.ESPTOOL)
    for (const what of ["time", "CPU"])
      b.row(`${many} boards, flashline's ${what} against ${many} x esptool`, NaN,
        { target: what === "CPU" ? 1 / 40 : 0.5, note: "not measured: ESPTOOL=PROGRAM in the environment" });
  b.say(`${slowly} boards at 115200`);
  const slow = await station(slowly, 115200), mid = b.median(seconds(slow));
  b.row(`${slowly} slots at 115200: units that passed`, slow.passed, { target: slowly, sense: ">=" });
  b.row(`${slowly} slots at 115200: the slowest against the median`, Math.max(...seconds(slow)) / mid,
    { target: 1.05, note: `median ${mid.toFixed(1)} s; flashline ${(slow.client_cpu_s / (slow.wall_us / 1e6) * 100).toFixed(1)} % of a core, simulator ${(slow.sim_cpu_s / (slow.wall_us / 1e6) * 100).toFixed(0)} %` });
}
