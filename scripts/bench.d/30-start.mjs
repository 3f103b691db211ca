#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// From the start of `flashline flash` to the first thing it does at a port, with an empty log.
import * as b from "./lib.mjs";

// Starts of the program, each with a folder of its own: made before, or made by this very start.
async function waits(made) {
  const sim = await b.boards(1, { pace: "fast" }), starts = [];
  for (let i = 0; i < Math.max(5, b.RUNS); i++) {
    const data = made ? await b.madeFolder() : b.dataFolder();
    const r = await b.run([b.FL, "flash", "--profile", b.profileAt(921600), "--port", sim.ports[0], "--data", data]);
    if (r.code === 0) starts.push(r.start_us);
  }
  const { sessions, start_us } = await sim.stop();
  return starts.map((t, i) => (start_us + sessions[i].begin_us - t) / 1000);
}
b.row("start of flashline flash to the port, empty log", await waits(true), { unit: "ms", target: 50 });
b.row("start of flashline flash to the port, folder, key and log made by it", await waits(false), { unit: "ms" });
