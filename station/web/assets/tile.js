// SPDX-License-Identifier: Apache-2.0
// One tile of the board: what a slot's data look like. The text nodes are made once and only their data change: a changed
// number then costs its own row and not the building of an element.
import { t, tOr, todoText, tSaid, el, rate, duration } from "/assets/common.js";

const set = (node, text) => { if (node.data !== text) node.data = text; };
const stepText = (s) => s ? tOr("step." + s, s) : "";

// `open` is called when the tile is pressed. What comes back: `tile`, the element; the text nodes by name; `bar`.
export function makeTile(open) {
    const p = { bar: el("span", { class: "bar", "aria-hidden": "true" }) };
    const part = (name, more = {}) => {
        p[name] = document.createTextNode("");
        return el("span", { class: name, ...more }, p[name]);
    };
    p.tile = el("button", { class: "tile", type: "button", onclick: open },
        el("span", { class: "row1" }, el("span", { class: "heard" }, t("tile.slot", { n: "" })), part("num"), part("sign", { "aria-hidden": "true" }), part("word")),
        el("span", { class: "row2" }, part("mac"), part("chip"), part("time")),
        p.bar,
        el("span", { class: "row3" }, part("step"), part("pct"), part("speed"), part("left")),
        part("todo"), part("said"));
    return p;
}

const moving = (d) => d.state === "work" && d.total > 0;
const busy = (d) => d.state === "work" || d.state === "record";

// In half percents: a smaller step is not seen and would be painted all the same. A background's size neither lays anything
// out nor makes a layer.
export function paintProgress(p, d) {
    const share = moving(d) ? Math.min(1, d.done / d.total) : 0;
    const to = Math.floor(share * 200) / 2 + "% 100%";
    if (p.bar_at !== to) p.bar.style.backgroundSize = p.bar_at = to;
    p.tile.classList.toggle("moving", moving(d));
    set(p.pct, moving(d) ? t("amount.percent", { n: Math.floor(share * 100) }) : "");
}

function paintStep(p, d) {
    const fault = d.state === "empty" ? "" : d.fault; // between two boards the port may be gone: nothing to be done about
    set(p.step, busy(d) ? stepText(d.state === "record" ? "record" : d.step) : d.state === "pass" ? t("tile.take_out") : fault);
    const todo = fault ? todoText(d) : "";
    if (p.todo.data !== todo) p.tile.classList.toggle("brief", [...todo].reduce((n, c) => n + (c > "\u2e80" ? 2 : 1), 0) <= 42); // fits larger
    set(p.todo, todo);
}

// What nobody reads faster than once a second. `now`: the server's clock, ms.
export function paintRates(p, d, now) {
    set(p.speed, moving(d) && d.rate ? rate(d.rate) : "");
    set(p.left, moving(d) && d.left >= 0 ? t("tile.left", { time: duration(d.left) }) : "");
    const ended = d.ended > d.started && !["idle", "busy"].includes(d.tone) && d.state !== "closed";
    set(p.time, busy(d) ? duration(now - d.started) : ended ? duration(d.ended - d.started) : "");
}

// What was scanned for this slot and what it did: for a moment; what was not done until somebody must have read it. As in
// event/tile.h. True: it stands on the tile now.
const SAID_MS = 10000, REFUSED_MS = 60000;
export const fresh = (d, now) => Boolean(d.said) && now - d.said_ms < (d.refused ? REFUSED_MS : SAID_MS);
export function paintSaid(p, d, now) {
    const is = fresh(d, now);
    set(p.said, is ? (d.refused ? "✘ " : "✔ ") + tSaid(d.said) : "");
    p.tile.classList.toggle("says", is);
    p.tile.classList.toggle("refuses", is && d.refused);
}

// Everything of a tile at work that moves: for boards so crowded that it is painted once a second, in one go.
export function paintMoving(p, d, now) {
    paintStep(p, d);
    paintProgress(p, d);
    paintRates(p, d, now);
}

// How wide the first row is, in em of its own font. The short words count as the longest of them, so that most tiles speak
// in one size.
let pen = null;
const SHORT = ["empty", "look", "work", "pass", "fail", "error"];
const short = () => Math.max(...SHORT.map((s) => emOf(t("state." + s))));
function emOf(text) {
    if (!pen) {
        pen = document.createElement("canvas").getContext("2d");
        pen.font = "800 100px " + getComputedStyle(document.body).fontFamily;
    }
    return pen.measureText(text).width / 100;
}

let usual = 0;
function fitRow(p) {
    const key = p.num.data + p.word.data;
    if (p.fitted === key) return;
    p.fitted = key;
    usual ||= short();
    const word = 0.9 + 0.3 + Math.max(emOf(p.word.data), usual); // sign, gap, word
    p.tile.style.setProperty("--w", (Math.max(emOf(p.num.data), 1.4) + 0.3 + word).toFixed(2));
    p.tile.style.setProperty("--w2", word.toFixed(2)); // the number above the word
}

export function paintTile(p, d, now) {
    p.tile.dataset.tone = d.tone;
    p.tile.dataset.state = d.state;
    p.tile.classList.toggle("hand", d.hand);
    set(p.num, String(d.slot));
    set(p.sign, d.sign);
    set(p.word, t("state." + d.state));
    fitRow(p);
    set(p.mac, d.mac ? d.mac.slice(-8) : "");
    set(p.chip, d.chip);
    paintMoving(p, d, now);
    paintSaid(p, d, now);
}

// Do two states of a slot look alike but for what paintMoving paints?
export const sameLook = (a, b) => ["slot", "state", "tone", "sign", "hand", "mac", "chip", "fault", "ended", "said_ms"].every((k) => a[k] === b[k]);
