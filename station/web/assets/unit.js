// SPDX-License-Identifier: Apache-2.0
// One unit's whole life, found by its MAC or a part of it.
import { begin, get, t, tOr, recorded, el, duration, when, bytes, number } from "/assets/common.js";
import { sortable } from "/assets/table.js";

const $ = (id) => document.getElementById(id);
await begin({ page: "unit" });

function say(text) {
    $("trouble").textContent = text ?? "";
    $("trouble").hidden = !text;
}
const badge = (outcome) => el("span", { class: "badge", "data-tone": { PASS: "good", FAIL: "bad", ERROR: "help" }[outcome] ?? "note" }, t("state." + outcome.toLowerCase()));
const unitLink = (mac) => el("a", { href: "/unit?mac=" + encodeURIComponent(mac) }, mac);
const certificate = (leaf) => el("a", { href: "/api/certificate?leaf=" + leaf, download: true }, t("unit.certificate", { leaf }));

const found = sortable($("found"), [
    { key: "mac", title: t("d.mac"), text: (r) => unitLink(r.mac) }, { key: "chip", title: t("d.chip") },
    { key: "attempts", title: t("eng.attempts"), right: true },
    { key: "outcome", title: t("unit.last"), text: (r) => badge(r.outcome) }, { key: "fault", title: t("d.fault") },
    { key: "slot", title: t("eng.slot"), right: true }, { key: "start", title: t("unit.when"), text: (r) => when(r.start) }], "start", true);

function pairs(rows) {
    const list = el("dl", { class: "pairs" });
    for (const [k, v] of rows)
        if (v !== undefined && v !== null && v !== "") list.append(el("dt", {}, k), el("dd", {}, v instanceof Node ? v : String(v)));
    return list;
}

function attempt(a) {
    const steps = a.steps.map((s) => `${tOr("step." + s.step, s.step)} ${duration(s.ms)}`).join(" · ");
    const rungs = a.rungs.map((r) => `${tOr("rung." + r.rung, r.rung)} ×${r.count} (${r.step ? tOr("step." + r.step, r.step) + ": " : ""}${r.cause})`).join(", ");
    const images = el("ul", {});
    for (const i of a.images)
        images.append(el("li", {}, `0x${i.offset.toString(16)} ${i.file} (${bytes(i.size)}) `, el("code", {}, i.sha256)));
    return el("section", { class: "attempt" },
        el("h3", {}, badge(a.outcome), " ", when(a.start), " · ", t("tile.slot", { n: a.slot }), a.ms ? " · " + duration(a.ms) : ""),
        pairs([
            [t("d.fault"), a.fault], [t("d.what"), a.fault ? tOr("what." + a.fault, a.what ?? "") : ""], [t("d.why"), a.why ? recorded(a.why) : ""], [t("unit.failed_in"), a.fault ? tOr("step." + a.step, a.step) : ""],
            [t("d.port"), [a.port, a.path].filter(Boolean).join(" ")], [t("unit.bridge"), [a.bridge, a.bridge_driver, a.bridge_serial].filter(Boolean).join(" ")],
            [t("unit.profile"), [a.profile, a.profile_version].filter(Boolean).join(" ")], [t("unit.lot"), a.lot], [t("unit.operator"), a.operator],
            [t("unit.loader"), a.loader], [t("d.baud"), a.baud ? number(a.baud) : ""], [t("unit.steps"), steps], [t("d.rungs"), rungs],
            [t("unit.images"), a.images.length ? images : ""], [t("d.leaf"), certificate(a.leaf)],
        ]));
}

function showLife(u) {
    const c = u.unit ?? {};
    $("life").replaceChildren(
        el("h2", {}, u.mac),
        pairs([[t("d.chip"), [c.chip, c.revision].filter(Boolean).join(" ")], ["EUI-64", c.eui64], [t("unit.flash"), c.flash_size ? bytes(c.flash_size) : ""],
            [t("unit.flash_id"), c.flash_id], [t("unit.attempts"), u.attempts.length]]),
        ...u.attempts.toReversed().map(attempt));
}

async function search(text) {
    say();
    $("life").replaceChildren();
    found([]);
    $("found").hidden = true;
    const digits = text.replace(/[^0-9a-f]/gi, "");
    try {
        if (digits.length === 12 || digits.length === 16) {
            showLife(await get("/api/unit?mac=" + encodeURIComponent(text)));
            return;
        }
        const list = await get("/api/units?q=" + encodeURIComponent(text));
        if (list.length === 1) {
            showLife(await get("/api/unit?mac=" + encodeURIComponent(list[0].mac)));
        } else if (list.length) {
            $("found").hidden = false;
            found(list);
        } else {
            say(t("unit.none"));
        }
    } catch (e) {
        say(e.message);
    }
}

$("found").hidden = true;
$("search").addEventListener("submit", (e) => {
    e.preventDefault();
    history.pushState(null, "", "/unit?mac=" + encodeURIComponent($("q").value.trim()));
    search($("q").value.trim());
});
function fromAddress() {
    const mac = new URLSearchParams(location.search).get("mac") ?? "";
    $("q").value = mac;
    if (mac) search(mac);
}
addEventListener("popstate", fromAddress);
fromAddress();
