// SPDX-License-Identifier: Apache-2.0
//
// compare.mjs TRUTH ATTEMPTS FLASH IMAGE@OFFSET...: a shift's truth file (station/sim/operator.h) against what the line
// recorded (the JSON lines of `flashline run`, or of a query with the same names). FLASH is the size of a good
// board's flash. Prints every difference and a summary; exit 0: none.
//
//   1. every recorded attempt is of a board that was in that slot at that time
//   2. every outcome that the operator saw is a record of that board in that slot, with that outcome
//   3. every PASS: the board left the slot with exactly these images in its flash
//   4. a planted fault is found: not a PASS, and one of the expected codes. On a cable that flips bits, on a hub that let
//      go, or pulled too early, another code may hide it; a PASS may not
//   5. a good board that nothing befell passes, unless a rule of the lot had stopped its slot or the line
//   6. as many different boards passed as have ever left with a PASS

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [truthPath, attemptsPath, size, ...images] = process.argv.slice(2);
const lines = (path) => readFileSync(path, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l));
const truth = lines(truthPath), attempts = lines(attemptsPath).filter((a) => (a.type ?? "attempt") === "attempt");
const visits = truth.filter((t) => t.type === "visit");

const good = Buffer.alloc(Number(size), 0xff);
for (const text of images) {
  const [, file, offset] = /^(.+)@(0x[0-9a-fA-F]+|\d+)$/.exec(text);
  readFileSync(file).copy(good, Number(offset));
}
const wanted = createHash("sha256").update(good).digest("hex");

let bad = 0;
const differs = (what, of) => {
  bad++;
  console.log(`${what}: ${JSON.stringify(of)}`);
};
const key = (x) => `${x.mac} ${x.slot}`;
const by = (list, of) => list.reduce((m, x) => m.set(of(x), [...(m.get(of(x)) ?? []), x]), new Map());
const visitsOf = by(visits, key), attemptOf = new Map(attempts.map((a) => [a.leaf, a]));
// closed before it was begun: nothing was done and nothing recorded; a moment later: let in nowhere, and recorded so
const heldBack = (v, a) => (v.saw === "closed" && v.leaf < 0) || (a?.outcome === "ABORTED" && a.fault.startsWith("rule."));
const troubled = (v) => v.cable > 0 || v.hub || v.why !== "done";

for (const a of attempts) {
  const there = a.mac ? (visitsOf.get(key(a)) ?? []) : visits.filter((v) => v.slot === a.slot);
  if (!there.length) differs("a record of a board that was never in that slot", a);
  if (a.outcome === "PASS" && there.length && !there.some((v) => v.flash === wanted)) differs("PASS over other bytes", a);
}
for (const v of visits) {
  const a = attemptOf.get(v.leaf);
  if (v.leaf >= 0 && (!a || a.slot !== v.slot || a.outcome.toLowerCase() !== v.saw || (a.mac && a.mac !== v.mac && !troubled(v))))
    differs("the operator saw another record", { visit: v, record: a });
  if (v.saw === "pass" && a?.mac === v.mac && v.flash !== wanted) differs("PASS over other bytes", v);
  if (v.planted) {
    const found = (visitsOf.get(key(v)) && attempts.filter((r) => key(r) === key(v) || (!r.mac && r.leaf === v.leaf))) ?? [];
    if (found.some((r) => r.mac === v.mac && r.outcome === "PASS")) differs("a bad board passed", { visit: v, found });
    else if (!troubled(v) && !heldBack(v, a) && !(a && v.expect.includes(a.fault))) differs("the planted fault was not found", { visit: v, record: a });
  } else if (!troubled(v) && !heldBack(v, a) && v.saw !== "pass" && v.visit === 1) {
    differs("a good board did not pass", { visit: v, record: a });
  }
}
const passed = new Set(attempts.filter((a) => a.outcome === "PASS").map((a) => a.mac));
const left = new Set(visits.filter((v) => v.flash === wanted && attempts.some((a) => key(a) === key(v) && a.outcome === "PASS")).map((v) => v.mac));
for (const mac of passed) if (!left.has(mac)) differs("passed, and no board left so", mac);
const units = new Set(visits.map((v) => v.unit)).size, planted = visits.filter((v) => v.planted);
const count = (why) => visits.filter((v) => v.why === why).length;
console.log(
  `${units} boards in ${visits.length} visits, ${passed.size} passed; ${planted.length} bad ones; ${count("moved")} moved, ${count("patience")} given up, ` +
    `${count("hung")} hung, ${visits.filter((v) => v.hub).length} let go by the hub, ${visits.filter((v) => v.cable > 0).length} on a bad cable, ` +
    `${visits.filter((v) => v.visit > 1).length} plugged in again; ${attempts.length} records; ${bad} differences`,
);
process.exit(bad ? 1 : 0);
