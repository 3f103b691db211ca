// SPDX-License-Identifier: Apache-2.0
//
// stops.mjs RULES EVENTS: which scopes must have stopped, by the rules of the lot (JSON) and what the records say in their
// order (JSON lines: {"what":"attempt","slot","outcome","fault","mac"}, {"what":"stop","slot","rule"}, {"what":"reopen","slot"};
// slot 0 is the line). The rules are worked out here a second time, from what profiles/README.md says of them. Prints what
// differs and a summary; exit 0: stopped where they should, and nowhere else.
//
// Attempts that end together are recorded in one order and may be told to the rules in another: a stop of the line may
// stand up to SLOTS attempts behind the one that the order of the records makes responsible. A slot's are in order.

import { readFileSync } from "node:fs";

const [rulesPath, eventsPath, slotsText] = process.argv.slice(2);
const rules = JSON.parse(readFileSync(rulesPath, "utf8")), late = Number(slotsText);
const events = readFileSync(eventsPath, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l));

let differences = 0;
const differs = (what, of) => { differences++; console.log(`${what}: ${JSON.stringify(of)}`); };
const fresh = () => ({ row: 0, faults: new Map(), units: 0, first: 0, due: null });
const scopes = new Map(), seen = new Set(), counts = new Map();
const scope = (n) => scopes.get(n) ?? scopes.set(n, fresh()).get(n);

function fires(s, limits) {
  if (!limits) return null;
  if (limits.consecutive && s.row >= limits.consecutive) return "consecutive";
  if (limits.same_fault && Math.max(0, ...s.faults.values()) >= limits.same_fault) return "same_fault";
  if (limits.yield && s.units >= limits.after && 100 * s.first < limits.yield * s.units) return "yield";
  return null;
}
for (const [i, e] of events.entries()) {
  if (e.what === "attempt" && !["ABORTED", "INTERRUPTED"].includes(e.outcome)) {
    const first = e.mac !== null && !seen.has(e.mac), good = e.outcome === "PASS";
    if (first) seen.add(e.mac);
    for (const [n, limits] of [[e.slot, rules.slot], [0, rules.line]]) {
      const s = scope(n);
      s.row = good ? 0 : s.row + 1;
      if (!good) s.faults.set(e.fault, (s.faults.get(e.fault) ?? 0) + 1);
      if (first) { s.units++; s.first += good; }
      if (s.due) s.due.behind++;
      else if (!s.stopped && fires(s, limits)) s.due = { rule: fires(s, limits), at: e.leaf, behind: 0 };
      if (s.due && s.due.behind > (n ? 0 : late)) { differs("did not stop", { scope: n, ...s.due }); s.due = null; }
    }
  } else if (e.what === "stop") {
    const s = scope(e.slot);
    if (!s.due || s.due.rule !== e.rule) differs("stopped without a reason", { ...e, due: s.due, row: s.row, units: s.units, first: s.first });
    s.due = null;
    s.stopped = true;
    counts.set(`${e.slot || "line"} ${e.rule}`, (counts.get(`${e.slot || "line"} ${e.rule}`) ?? 0) + 1);
  } else if (e.what === "reopen") {
    if (!scope(e.slot).stopped) differs("reopened what was open", e);
    scopes.set(e.slot, fresh());
  }
}
for (const [n, s] of scopes) if (s.due) differs("did not stop", { scope: n, ...s.due });
console.log(`stops: ${[...counts].map(([k, v]) => `${k} ${v}`).join(", ") || "none"}; ${differences} differences`);
process.exit(differences ? 1 : 0);
