// SPDX-License-Identifier: Apache-2.0
// Every text that a person sees on the pages comes from a language file: held against the sources that make the texts.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./lib.mjs";

// Words of the system (strerror) and of SQLite: not in our sources.
const SYSTEM = ["No space left on device", "Input/output error", "Read-only file system", "Permission denied", "No such file or directory", "Disk quota exceeded",
    "Cannot allocate memory", "Broken pipe", "database or disk is full", "disk I/O error", "attempt to write a readonly database",
    "database disk image is malformed", "unable to open database file", "database is locked"];
// Sources all of whose sentences may be shown, as alarm, as what a scan did, or as why a slot is stopped; and what of them
// never is, by how it begins.
const SHOWN = {
    "line/desk.c": [], "line/rules.c": [], "line/guard.c": ["rule."], "store/flush.c": ["cannot start the thread"],
    "line/scan.c": ["scanner."], "profile/recheck.c": [],
    "works/asked.c": ["nobody here knows", "there is no slot", "lot_", "{", "flashline: scan", "{1} could not be recorded"],
    "ledger/ledger.c": ["'{1}' is neither a UUID", "the key that is to follow", "a record behind a hand-over", "the record has", "SELECT ", "a log has at most"], // of one event: its sender is told
};

// A format or a pattern with its gaps alike; gaps that touch are one.
// A text that goes before another ends with ": ", which a pattern may have as ": {1}".
const bare = (s) => s.replace(/(%[-.0-9*]*(ll|z)?[sdu]|\{\d\})+/g, "\0").replaceAll("%%", "%").replace(/: $/, "");
const texts = (file) => [...readFileSync(path.join(root, "station", file), "utf8").replace(/^\s*#include.*$/gm, "")
    .matchAll(/"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*/g)].map(([m]) => m.replace(/"\s*"/g, "").slice(1, -1));
const rooms = readdirSync(path.join(root, "station"), { withFileTypes: true }).filter((d) => d.isDirectory()).map((d) => d.name);
const sources = (room) => readdirSync(path.join(root, "station", room)).filter((f) => f.endsWith(".c")).map((f) => `${room}/${f}`);

export function sentences(en, zh, check) {
    const missing = Object.keys(en).filter((k) => !(k in zh)), extra = Object.keys(zh).filter((k) => !(k in en) && !/^(todo|what|say|err|rung)\./.test(k));
    check("Chinese has every key and no other", !missing.length && !extra.length, [...missing, ...extra].join(" "));
    const gaps = (s) => [...s.matchAll(/\{\w+\}/g)].map(([m]) => m).sort().join();
    const other = Object.keys(en).filter((k) => k in zh && gaps(en[k]) !== gaps(zh[k]));
    check("every text fills the same gaps in every language", !other.length, other.join(" "));

    // patterns are said: a format that changes must change there too. A clause may have something before it (an advice behind
    // a sentence), or the system's words behind it (fl_fail_os).
    const said = new Set(rooms.flatMap(sources).flatMap(texts).map((s) => bare(s).replace(/^\0(?=slot \0 is closed)/, "")));
    const patterns = Object.keys(zh).filter((k) => k.startsWith("say.")).map((k) => k.slice(4));
    const is = (p) => [bare(p), bare(p).replace(/^\0(?=;)/, ""), bare(p).replace(/: \0$/, ""), "; " + bare(p)].some((x) => said.has(x));
    const unsaid = patterns.filter((p) => !is(p) && !SYSTEM.includes(p) && !["the line is stopped: {1}", "this slot is stopped: {1}"].includes(p)); // these two: "%s stopped: %s"
    check("every sentence that has a pattern is said somewhere", patterns.length > 50 && !unsaid.length, unsaid.join(" | "));

    // and what is said has a pattern: of two words and more, none of them a path or a key
    const known = new Set(patterns.flatMap((p) => [bare(p), bare(p).replace(/: \0$/, "")]));
    const bald = Object.entries(SHOWN).flatMap(([file, never]) => texts(file)
        .filter((s) => / [a-z]+/.test(s) && !never.some((n) => bare(s).startsWith(bare(n))))
        .filter((s) => !known.has(bare(s)) && !known.has(bare(s).replace(/^\0(?=slot \0 is closed)/, "")) && !known.has(bare(s).replace(/^; /, "")))
        .filter((s) => bare(s) !== "\0 stopped: \0" && !/^(the line is|this slot is)$/.test(s)).map((s) => `${file}: ${s}`));
    check("every sentence that may be shown has a pattern", !bald.length, bald.join(" | "));

    // by name: faults, rungs, steps, refusals
    const names = (file, pattern) => [...readFileSync(path.join(root, "station", file), "utf8").matchAll(pattern)].map((m) => m[1]);
    const want = [
        ...names("event/fault.c", /^ {4}\{"([a-z_.0-9]+)",/gm).flatMap((n) => [`todo.${n}`, `what.${n}`]),
        ...names("event/fault.c", /\{\.fault = "([a-z_.0-9]+)"/g).map((n) => `todo.net.${n}`),
        ...names("esp/rung.c", /\[ESP_RUNG_[A-Z_]+\]\s*=\s*"(\w+)"/g).map((n) => `rung.${n}`),
        ...["line/steps.c", "line/attempt.c", "line/hook.c"].flatMap((f) => names(f, /attempt_step\(a, "([a-z-]+)"\)/g)).map((n) => `step.${n}`),
        ...names("line/steps.c", /\{"([a-z-]+)", (?:do_|attempt_)\w+\}/g).map((n) => `step.${n}`),
        ...sources("web").flatMap((f) => names(f, /reply_error\([^;]*?\b\d{3}, "(\w+)"/g)).map((n) => `err.${n}`),
    ];
    const unnamed = [...new Set(want)].filter((k) => !(k in zh));
    check(`every fault, rung, step and refusal has its text (${want.length})`, want.length > 150 && !unnamed.length, unnamed.join(" "));
}
