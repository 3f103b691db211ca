// SPDX-License-Identifier: Apache-2.0
// The auditor's page: which log, how long, under which key, verified when; certificates to take away.
import { begin, get, getFile, t, el, number, when } from "/assets/common.js";

const $ = (id) => document.getElementById(id);
await begin({ page: "audit" });

function say(text) {
    $("trouble").textContent = text ?? "";
    $("trouble").hidden = !text;
}
const time = (ms) => ms ? when(new Date(ms).toISOString()) : "–";

try {
    const l = await get("/api/log");
    const rows = [
        ["audit.station", l.station], ["audit.origin", l.origin], ["audit.vkey", el("code", {}, l.vkey)], ["audit.leaves", number(l.leaves)],
        ["audit.size", l.size === null ? "–" : number(l.size)], ["audit.root", el("code", {}, l.root ?? "–")],
        ["audit.verified", `${time(l.verified_ms)} (${t("audit.at_start")})`], ["audit.boots", number(l.boots)],
        ["audit.first", time(l.first_ms)], ["audit.last", time(l.last_ms)], ["audit.open", number(l.open)],
    ];
    $("facts").replaceChildren(...rows.map(([k, v]) => el("div", {}, el("dt", {}, t(k)), el("dd", {}, v))));
} catch (e) {
    say(e.message);
    $("head").hidden = true;
}

$("certificate").addEventListener("submit", async (e) => {
    e.preventDefault();
    say();
    const leaf = $("leaf").value.trim();
    const file = await getFile("/api/certificate?leaf=" + encodeURIComponent(leaf)).catch((failed) => say(failed.message));
    if (!file) return;
    const link = el("a", { href: URL.createObjectURL(file), download: `record-${leaf}.tlog-proof` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
