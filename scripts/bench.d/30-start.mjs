#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// From the start of `flashline flash` to the first thing it does at a port, with an empty log.
import * as b from "./lib.mjs";

const sim = await b.boards(1, { pace: "fast" }), data = await b.madeFolder();
const starts = [];
for (let i = 0; i < Math.max(5, b.RUNS); i++) {
  const r = await b.run([b.FL, "flash", "--profile", b.profileAt(921600), "--port", sim.ports[0], "--data", i ? await b.madeFolder() : data]);
  if (r.code === 0) starts.push(r.start_us);
}
const { sessions, start_us } = await sim.stop();
const waits = starts.map((t, i) => (start_us + sessions[i].begin_us - t) / 1000);
b.row("start of flashline flash to the port, empty log", waits, { unit: "ms", target: 50 });
