#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// One board at a time on each speed, blank and again: how near the wire's own time every client comes.
import * as b from "./lib.mjs";

const speeds = b.QUICK ? [921600, 2000000] : [460800, 921600, 1500000, 2000000];
const APART_MS = 700;
const targets = { 460800: 1.03, 921600: 1.07, 1500000: 1.10, 2000000: 1.13 };

// All speeds side by side, each at its own board: four processes that mostly sleep, and begin one after the other, because
// what a start computes would have both processors for half a second. Twice the same board, so that the second time it
// holds the image already.
async function stays(client, again) {
  const sim = await b.boards(speeds.length);
  const cost = [];
  await Promise.all(speeds.map(async (baud, i) => {
    const data = client.name === "flashline" ? await b.madeFolder() : undefined;
    await b.sleep(APART_MS * i);
    for (let n = 0; n < (again ? 2 : 1); n++) {
      const r = await client.run(sim.ports[i], baud, data);
      if (r.code !== 0) b.say(`${client.name} at ${baud}: exit ${r.code}: ${r.err.trim().split("\n").at(-1)}`);
      cost.push({ baud, second: n === 1, ...r });
    }
  }));
  const { sessions } = await sim.stop();
  const byBoard = speeds.map((_, i) => sessions.filter((s) => s.board === i + 1 && s.seconds > 0.2));
  return { byBoard, cost };
}

const plan = await b.planOf(b.profileAt(921600));
b.row("compressed bytes against zlib level 9", plan.sent / b.zlib9, { target: 0.985, note: `${plan.sent} of ${b.zlib9} bytes` });

const model = b.flashModel(), seen = {};
for (const client of b.clients) {
  const ours = client.name === "flashline";
  seen[client.name] = [];
  for (let n = 0; n < (ours ? b.RUNS : 1); n++) {
    b.say(`${client.name}, ${speeds.join(", ")} baud, run ${n + 1}`);
    seen[client.name].push(await stays(client, ours));
  }
}
const of = (name, i, f, second = 0) => seen[name].map((r) => r.byBoard[i][second]).filter(Boolean).map(f);

speeds.forEach((baud, i) => {
  const parts = b.limits(plan, baud), flash = model.get(baud) < 0.99, wire9 = b.wireSeconds(b.zlib9, baud);
  for (const { name } of b.clients) {
    const mine = name === "flashline";
    b.row(`${name}, ${baud}: data phase, part of the wire's rate`, of(name, i, (s) => s.wire_s / s.data_s),
      { limit: b.wireSeconds(plan.wire, baud) / parts.data, target: mine && !flash ? 0.99 : null, sense: ">=" });
    if (mine)
      b.row(`${name}, ${baud}: data phase, part of the flash model's rate`, of(name, i, (s) => s.wire_s / s.data_s / model.get(baud)),
        { limit: 1, target: flash ? 0.97 : null, sense: ">=", note: flash ? "the flash is the limit here" : "the wire is the limit here" });
    b.row(`${name}, ${baud}: whole attempt against the wire time at zlib 9`, of(name, i, (s) => s.seconds / wire9),
      { limit: b.total(parts) / wire9, target: mine ? targets[baud] : null });
    if (baud === 921600)
      b.row(`${name}, ${baud}: outside data and the chip's own times`, of(name, i, (s) => s.outside_s),
        { unit: "s", limit: b.total(parts) - parts.data - parts.md5, target: mine ? 0.4 : null });
  }
  b.row(`flashline, ${baud}: board that holds the image, against its first flash`,
    seen.flashline.map((r) => r.byBoard[i][1]?.seconds / r.byBoard[i][0]?.seconds), { target: 0.10 });
  const first = seen.flashline[0].byBoard[i];
  if (first[0]) b.say(`${baud}: ${b.timeline(first[0])}`);
  if (first[1]) b.say(`${baud}, again: ${b.timeline(first[1])}`);
});

const cpu = (name) => b.median(seen[name].flatMap((r) => r.cost.filter((c) => !c.second).map((c) => c.cpu_s)));
for (const { name } of b.clients) b.row(`${name}: CPU of a process that flashes one unit`, cpu(name), { unit: "s" });
if (!b.env.ESPTOOL) b.row("esptool: not measured", NaN, { note: "ESPTOOL=PROGRAM in the environment" });
