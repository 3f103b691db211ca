// SPDX-License-Identifier: Apache-2.0
// The live board: one tile a slot. The stream says whole tiles when a state changes and five numbers while bytes move.
import { begin, t, tOr, todoText, tSaid, recorded, el, kept, toggle, number, percent, bytes, duration, may } from "/assets/common.js";
import { makeTile, paintTile, paintProgress, paintRates, paintMoving, paintSaid, fresh, sameLook } from "/assets/tile.js";

const $ = (id) => document.getElementById(id);
const tiles = [];      // by place: {data, parts}
let offset = 0;        // server's monotonic clock minus ours
let lastHeard = 0;
let source = null;

const now = () => performance.now() + offset;

// ---- how many columns: the largest tiles that fit, near 5:3; below a smallest height the page scrolls -------------
function layout() {
    const n = tiles.length;
    if (!n) return;
    const box = $("slots"), W = box.clientWidth, H = Math.max(200, innerHeight - box.offsetTop - 8);
    const phone = W < 700, minH = phone ? 104 : 64, minW = phone ? 150 : 118;
    let best = { score: -1, cols: 1, h: minH };
    const most = phone ? Math.max(1, Math.floor(W / 172)) : n, least = phone ? Math.min(n, most) : 1;
    for (let cols = least; cols <= Math.min(n, most); cols++) {
        const w = W / cols, rows = Math.ceil(n / cols), h = Math.max(minH, Math.min(H / rows, w * 1.1));
        if (cols > least && w < minW) break;
        const over = Math.max(1, rows * h / H);
        const score = Math.min(w / 1.7, h) / (phone ? 1 : over * over) * (n / (cols * rows)) ** 1.5;
        if (score > best.score) best = { score, cols, h };
    }
    box.style.setProperty("--cols", best.cols);
    box.style.setProperty("--tile-h", Math.floor(best.h - 6) + "px");
    box.classList.toggle("tall", best.h > 206 && W / best.cols / best.h < 1.6); // style.css: the number above the word
    sizeText(box);
}

// All tiles are of one size: what of it a text may take is said once, and not asked of each tile (container queries
// were a quarter of what the page cost).
const UP_TO = { h150: 150, h125: 125, h84: 84, h66: 66, w240: 240, w170: 170 };
function sizeText(box) {
    const tile = tiles.find(Boolean).parts.tile, style = getComputedStyle(tile);
    const w = tile.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const h = tile.clientHeight - parseFloat(style.paddingTop);
    box.style.setProperty("--cw", (w / 100).toFixed(3) + "px");
    box.style.setProperty("--ch", (h / 100).toFixed(3) + "px");
    for (const [name, most] of Object.entries(UP_TO)) box.classList.toggle(name, (name[0] === "h" ? h : w) <= most);
    box.classList.toggle("roomy", h >= 200);
    box.classList.toggle("square", h >= 300 && h > 0.8 * w);
    box.style.setProperty("--digits", String(Math.max(...tiles.map((x) => x.data.slot))).length);
}

// ---- sound and flash, by choice ------------------------------------------------------------------------------------------
let audio = null;
function beep(tone) {
    if (kept.get("sound", "") !== "1") return;
    audio ??= new AudioContext();
    const notes = tone === "good" ? [880, 1320] : [330, 220, 165];
    notes.forEach((hz, i) => {
        const o = audio.createOscillator(), g = audio.createGain(), at = audio.currentTime + i * 0.14;
        o.frequency.value = hz;
        o.type = tone === "good" ? "sine" : "square";
        g.gain.setValueAtTime(0.2, at);
        g.gain.exponentialRampToValueAtTime(0.001, at + 0.13);
        o.connect(g).connect(audio.destination);
        o.start(at);
        o.stop(at + 0.14);
    });
}
function announce(d, parts) {
    if (d.tone !== "good" && d.tone !== "bad" && d.tone !== "help") return;
    beep(d.tone);
    if (kept.get("flash", "") === "1") {
        parts.tile.classList.remove("flash");
        void parts.tile.offsetWidth; // starts the animation again
        parts.tile.classList.add("flash");
    }
}

const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// ---- the line's head ---------------------------------------------------------------------------------------------------------
function paintHead(h) {
    set($("product"), h.product || h.station || "flashline");
    set($("lot"), [h.lot && t("line.lot", { lot: h.lot }), h.product && h.station].filter(Boolean).join(" · "));
    set($("done"), number(h.passed));
    set($("planned"), h.planned ? " / " + number(h.planned) : "");
    $("share").hidden = !h.planned;
    $("done").parentElement.classList.toggle("full", h.planned > 0 && h.passed >= h.planned);
    if (h.planned) $("share").value = Math.min(1000, Math.round(1000 * h.passed / h.planned));
    set($("fpy"), percent(h.first_passed, h.units));
    set($("hour"), h.per_hour ? number(h.per_hour) : "–");
    set($("takt"), h.per_hour ? duration(3600000 / h.per_hour) : "–");
    set($("takt_plan"), h.takt_ms ? " / " + duration(h.takt_ms) : "");
    $("takt").parentElement.classList.toggle("late", h.takt_ms > 0 && h.per_hour > 0 && 3600000 / h.per_hour > h.takt_ms);
    for (const k of ["pass", "fail", "error"]) set($(k), number(h[k]));
    $("none").hidden = tiles.length > 0 || h.alarm !== ""; // a line that waits for its lot says so itself
    setAlarm(h.alarm);
    setSaid(h);
}

// What was scanned last and what it did: for a moment; a refusal until somebody must have read it.
let said = { said: "" };
function setSaid(h) {
    said = h;
    const is = fresh(h, now());
    const done = show($("said"), is && !h.refused ? "✔ " + tSaid(h.said) : "");
    const not = show($("refused"), is && h.refused ? "✘ " + tSaid(h.said) : "");
    if (done || not) layout();
}
// True when the line came or went: the tiles have another height then.
function show(line, text) {
    const changed = line.hidden !== !text;
    set(line, text);
    line.hidden = !text;
    return changed;
}

let lineAlarm = "", lost = false;
function setAlarm(text) {
    lineAlarm = text;
    if (show($("alarm"), lost ? "⚠ " + t("contact.lost") : lineAlarm ? "⚠ " + tSaid(lineAlarm) : "")) layout();
}

// ---- the stream ------------------------------------------------------------------------------------------------------------------
function heard(m) {
    lastHeard = performance.now();
    if (m.now) offset = m.now - performance.now();
    if (lost) {
        lost = false;
        document.body.classList.remove("lost");
        setAlarm(lineAlarm);
    }
    set($("dot"), "●");
    set($("contact"), t("contact.live"));
}

function whole(m) {
    tiles.length = 0;
    $("slots").replaceChildren();
    for (const d of m.slots) {
        const parts = makeTile(() => openDetail(d.i));
        tiles[d.i] = { data: d, parts };
        $("slots").append(parts.tile);
        paintTile(parts, d, now());
    }
    paintHead(m.head);
    layout();
}

// On a crowded board only what a slot came to is painted at once; bars, steps and times of all tiles move together once a
// second: each painting costs the viewer's machine, a bar there is short and a step of half a second nobody reads.
const MANY = 24;
const crowded = () => tiles.length > MANY;

function delta(m) {
    for (const d of m.slots) {
        const tile = tiles[d.i];
        if (!tile) { // a slot that was not there before
            connect();
            return;
        }
        const was = tile.data;
        tile.data = d;
        if (!crowded() || !sameLook(was, d)) paintTile(tile.parts, d, now());
        if (was.state !== d.state || was.ended !== d.ended) announce(d, tile.parts);
        if (openFor === d.i) fillDetail(d);
    }
    for (const [i, done, total, speed, left] of m.p) {
        Object.assign(tiles[i].data, { done, total, rate: speed, left });
        if (!crowded()) paintProgress(tiles[i].parts, tiles[i].data);
    }
    if (m.head) paintHead(m.head);
}

function connect() {
    source?.close();
    source = new EventSource("/api/events");
    source.addEventListener("board", (e) => { const m = JSON.parse(e.data); heard(m); whole(m); });
    source.addEventListener("delta", (e) => { const m = JSON.parse(e.data); heard(m); delta(m); });
    source.addEventListener("beat", () => heard({}));
}

async function watch() {
    if (said.said) setSaid(said);
    for (const { parts, data } of tiles.filter(Boolean)) {
        (crowded() ? paintMoving : paintRates)(parts, data, now());
        if (data.said) paintSaid(parts, data, now());
    }
    if (performance.now() - lastHeard > (source.readyState === EventSource.OPEN ? 25000 : 3000) && !lost) {
        lost = true;
        document.body.classList.add("lost");
        set($("dot"), "○");
        set($("contact"), t("contact.lost_short"));
        setAlarm(lineAlarm);
    }
    if (source.readyState === EventSource.CLOSED) { // refused: logged out, or too many viewers
        const r = await fetch("/api/board", { method: "HEAD" }).catch(() => null);
        if (r?.status === 401) location.replace("/login");
        else if (r?.ok) connect();
    }
}

// ---- one slot, whole -----------------------------------------------------------------------------------------------------------------
let openFor = -1;
function fillDetail(d) {
    const rows = [
        ["d.state", t("state." + d.state)], ["d.mac", d.mac], ["d.chip", d.chip], ["d.port", d.port],
        ["d.step", d.step ? tOr("step." + d.step, d.step) : ""], ["d.baud", d.baud ? number(d.baud) : ""],
        ["d.rungs", d.rungs ? String(d.rungs) : ""], ["d.leaf", d.leaf >= 0 ? String(d.leaf) : ""],
        ["d.fault", d.fault], ["d.what", d.fault ? tOr("what." + d.fault, d.what) : ""], ["d.why", d.why ? recorded(d.why) : ""],
        ["d.todo", d.fault ? todoText(d) : ""], ["d.who", d.who ? t("who." + d.who) : ""],
        ["d.said", fresh(d, now()) ? tSaid(d.said) : ""],
        ["d.bytes", d.total ? `${bytes(d.done)} / ${bytes(d.total)}` : ""],
    ].filter(([, v]) => v);
    const list = el("dl", {});
    for (const [k, v] of rows) list.append(el("dt", {}, t(k)), el("dd", {}, v));
    const actions = el("div", { class: "actions" });
    if (d.mac && may("operator")) actions.append(el("a", { href: "/unit?mac=" + encodeURIComponent(d.mac) }, t("d.life")));
    actions.append(el("button", { onclick: () => $("detail").close(), autofocus: true }, t("d.close")));
    $("detail").replaceChildren(el("h2", { id: "d_title" }, t("tile.slot", { n: d.slot })), list, actions);
}
function openDetail(i) {
    openFor = i;
    fillDetail(tiles[i].data);
    $("detail").showModal();
}
$("detail").addEventListener("close", () => { openFor = -1; });

// ---- keys: arrows move between tiles, f fills the screen ---------------------------------------------------------------------------
document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("detail").open || e.target.closest("select, input")) return;
    const cols = Number($("slots").style.getPropertyValue("--cols")) || 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: cols, ArrowUp: -cols }[e.key];
    const at = tiles.findIndex((x) => x.parts.tile === document.activeElement);
    if (step && at >= 0 && tiles[at + step]) {
        tiles[at + step].parts.tile.focus();
        e.preventDefault();
    } else if (e.key === "f") {
        fullScreen();
    }
});
function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => {});
}
document.addEventListener("fullscreenchange", () => {
    document.body.classList.toggle("wall", Boolean(document.fullscreenElement) || wall);
    layout();
});

const wall = new URLSearchParams(location.search).has("wall");
document.body.classList.toggle("wall", wall);
await begin({
    page: "board",
    extra: () => [
        toggle(t("bar.sound"), "sound", (on) => { if (on) beep("good"); }),
        toggle(t("bar.flash"), "flash"),
        el("button", { type: "button", onclick: fullScreen }, t("bar.full")),
    ],
});
addEventListener("resize", layout);
lastHeard = performance.now();
connect();
setInterval(watch, 1000);
