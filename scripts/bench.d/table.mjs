// SPDX-License-Identifier: Apache-2.0
//
// Rows of all sections, a JSON object a line on standard input, as a table; --json FILE keeps them with the model.
import { readFileSync, writeFileSync } from "node:fs";

const rows = readFileSync(0, "utf8").split("\n").filter(Boolean).map((l) => JSON.parse(l));
const number = (v) => v === null || v === undefined ? "" : Number.isInteger(v) && Math.abs(v) >= 10 ? String(v) :
  Math.abs(v) >= 1000 ? v.toFixed(0) : Math.abs(v) >= 100 ? v.toFixed(1) : Math.abs(v) >= 1 ? v.toFixed(3) : v.toPrecision(3);
const verdict = (r) => r.met === null || r.met === undefined ? "" : r.met ? "met" : "NOT MET";
const cells = rows.map((r) => [
  r.what, `${number(r.value)}${r.unit ? ` ${r.unit}` : ""}`,
  r.runs > 1 ? `${number(r.min)} .. ${number(r.max)}` : "", number(r.limit),
  r.target === null || r.target === undefined ? "" : `${r.sense ?? "<="} ${number(r.target)}`, verdict(r), r.note ?? "",
]);
const head = ["what", "median", "spread", "limit", "target", "", ""];
const width = head.map((h, i) => i === head.length - 1 ? 0 : Math.max(h.length, ...cells.map((c) => c[i].length)));
let section = null;
const line = (c) => console.log(c.map((t, i) => i === 0 ? t.padEnd(width[i]) : i < c.length - 1 ? t.padStart(width[i]) : t).join("  ").trimEnd());
line(head);
cells.forEach((c, i) => {
  if (rows[i].section !== section) console.log(`-- ${section = rows[i].section}`);
  line(c);
});
const file = process.argv[process.argv.indexOf("--json") + 1];
if (process.argv.includes("--json"))
  writeFileSync(file, `${JSON.stringify({ model: JSON.parse(process.env.BENCH_MODEL), rows }, null, 1)}\n`);
