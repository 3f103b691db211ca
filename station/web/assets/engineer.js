// SPDX-License-Identifier: Apache-2.0
// The engineer's page: the line's course over the last hours, asked for again while it is looked at.
import { begin, get, t, tOr, el, kept, number, percent, duration, local } from "/assets/common.js";
import { sortable } from "/assets/table.js";

const $ = (id) => document.getElementById(id);
const AGAIN_MS = 5000;
const RANGES = { 1: "eng.h1", 8: "eng.h8", 24: "eng.h24", 168: "eng.h168", 0: "eng.all" };

await begin({ page: "engineer" });
const Chart = window.Chart;

// ---- charts -----------------------------------------------------------------------------------------------------------
const charts = {};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function dress() {
    const c = { text: css("--soft"), line: css("--line"), good: css("--good"), bad: css("--bad"), help: css("--help"), blue: css("--fill"), strong: css("--text") };
    const axis = ({ whole, ...more } = {}) => ({ ticks: { color: c.text, maxRotation: 0, autoSkipPadding: 16, ...(whole && { precision: 0 }) }, grid: { color: c.line }, ...more });
    const base = () => ({
        animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        plugins: { legend: { labels: { color: c.text, usePointStyle: true, pointStyleWidth: 18, boxHeight: 8 } } },
    });
    const dashes = [6, 4];
    for (const k of Object.keys(charts)) charts[k].destroy();
    charts.yield = new Chart($("yield"), {
        data: { labels: [], datasets: [
            { type: "line", label: t("eng.fpy_percent"), yAxisID: "p", pointStyle: "line", borderColor: c.strong, backgroundColor: c.strong, borderWidth: 2, pointRadius: 3, spanGaps: true, clip: false, order: 0 },
            { type: "bar", label: t("state.pass"), yAxisID: "y", stack: "a", pointStyle: "rect", maxBarThickness: 56, backgroundColor: c.good, order: 1 },
            { type: "bar", label: t("state.fail"), yAxisID: "y", stack: "a", pointStyle: "rect", maxBarThickness: 56, backgroundColor: c.bad, order: 1 },
            { type: "bar", label: t("state.error"), yAxisID: "y", stack: "a", pointStyle: "rect", maxBarThickness: 56, backgroundColor: c.help, order: 1 }] },
        options: { ...base(), scales: { x: axis({ stacked: true }), y: axis({ stacked: true, beginAtZero: true, whole: true, title: { display: true, text: t("eng.attempts"), color: c.text } }),
            p: axis({ position: "right", min: 0, max: 100, grid: { display: false } }) } },
    });
    charts.pareto = new Chart($("pareto"), {
        data: { labels: [], datasets: [
            { type: "line", label: t("eng.cumulative"), yAxisID: "p", pointStyle: "line", borderColor: c.strong, backgroundColor: c.strong, borderWidth: 2, borderDash: dashes, pointRadius: 3, clip: false, order: 0 },
            { type: "bar", label: t("eng.attempts"), yAxisID: "y", pointStyle: "rect", maxBarThickness: 56, backgroundColor: c.bad, order: 1 }] },
        options: { ...base(), scales: { x: axis({ ticks: { color: c.text, autoSkip: false, maxRotation: 40 } }), y: axis({ beginAtZero: true, whole: true }),
            p: axis({ position: "right", min: 0, max: 100, grid: { display: false } }) } }, // every fault by its name
    });
    charts.cycle = new Chart($("cycle"), {
        type: "line",
        data: { labels: [], datasets: [
            { label: t("eng.p50"), pointStyle: "line", borderColor: c.blue, backgroundColor: c.blue, borderWidth: 2, pointRadius: 3, spanGaps: true },
            { label: t("eng.p90"), pointStyle: "line", borderColor: c.strong, backgroundColor: c.strong, borderDash: dashes, borderWidth: 2, pointRadius: 3, spanGaps: true }] },
        options: { ...base(), scales: { x: axis(), y: axis({ beginAtZero: true, title: { display: true, text: t("eng.seconds"), color: c.text } }) } },
    });
    charts.throughput = new Chart($("throughput"), {
        type: "bar",
        data: { labels: [], datasets: [{ label: t("eng.per_hour"), pointStyle: "rect", maxBarThickness: 56, backgroundColor: c.blue }] },
        options: { ...base(), scales: { x: axis(), y: axis({ beginAtZero: true, whole: true }) } },
    });
}

function timeLabel(ms, bucketMs) {
    return bucketMs >= 3600000 ? local(ms).slice(5, 16) : local(ms).slice(11, bucketMs < 60000 ? 19 : 16);
}

function fill(chart, labels, ...sets) {
    chart.data.labels = labels;
    sets.forEach((data, i) => { chart.data.datasets[i].data = data; });
    chart.update();
}

// ---- tables ----------------------------------------------------------------------------------------------------------------
const seconds = (ms) => ms === null || ms === undefined ? "–" : duration(ms);
const slots = sortable($("slots_table"), [
    { key: "slot", title: t("eng.slot"), right: true }, { key: "attempts", title: t("eng.attempts"), right: true },
    { key: "pass", title: t("state.pass"), right: true }, { key: "fail", title: t("state.fail"), right: true },
    { key: "error", title: t("state.error"), right: true },
    { key: "fpy", title: t("line.fpy"), right: true, text: (r) => percent(r.first_passed, r.first) },
    { key: "p50", title: t("eng.p50"), right: true, text: (r) => seconds(r.p50) },
    { key: "p90", title: t("eng.p90"), right: true, text: (r) => seconds(r.p90) },
    { key: "with_rungs", title: t("eng.with_rungs"), right: true }], "slot");
const faults = sortable($("faults_table"), [
    { key: "fault", title: t("d.fault") }, { key: "attempts", title: t("eng.attempts"), right: true },
    { key: "units", title: t("eng.units"), right: true },
    { key: "what", title: t("d.what"), text: (r) => tOr("what." + r.fault, r.what) },
    { key: "who", title: t("d.who"), text: (r) => r.who ? t("who." + r.who) : "" }], "attempts", true);

// ---- what came -----------------------------------------------------------------------------------------------------------------
function fact(name, value) {
    return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

function show(c) {
    const hours = (c.to - c.from) / 3600000, per = 3600000 / c.bucket_ms, n = c.totals;
    $("facts").replaceChildren(
        fact(t("line.fpy"), percent(n.first_passed, n.first)), fact(t("eng.attempts"), number(n.attempts)),
        fact(t("state.pass"), number(n.pass)), fact(t("state.fail"), number(n.fail)), fact(t("state.error"), number(n.error)),
        fact(t("state.aborted"), number(n.aborted)), fact(t("line.hour"), number(Math.round(n.pass / Math.max(hours, 1 / 60)))));
    const labels = c.buckets.map((b) => timeLabel(b.t, c.bucket_ms));
    const least = n.first >= 4 * c.buckets.length ? 3 : 1; // where most bars stand for more, one of one or two units says nothing
    fill(charts.yield, labels, c.buckets.map((b) => b.first >= least ? 100 * b.first_passed / b.first : null),
        c.buckets.map((b) => b.pass), c.buckets.map((b) => b.fail), c.buckets.map((b) => b.error));
    fill(charts.cycle, labels, c.buckets.map((b) => b.p50 === null ? null : b.p50 / 1000), c.buckets.map((b) => b.p90 === null ? null : b.p90 / 1000));
    fill(charts.throughput, labels, c.buckets.map((b) => Math.round(b.pass * per)));
    const top = c.pareto.slice(0, 8), all = c.pareto.reduce((s, f) => s + f.attempts, 0);
    let sum = 0;
    fill(charts.pareto, top.map((f) => f.fault), top.map((f) => 100 * (sum += f.attempts) / all), top.map((f) => f.attempts));
    slots(c.slots.map((s) => ({ ...s, fpy: s.first ? s.first_passed / s.first : null })));
    faults(c.pareto);
}

// So many bars that each stands for some attempts: the yield of one or two says nothing.
const STEPS_MAX = 48;
let last = null, steps = STEPS_MAX;
async function ask() {
    if (document.hidden) return;
    try {
        const course = () => get(`/api/course?hours=${$("range").value}&steps=${steps}`);
        last = await course();
        const fit = Math.min(STEPS_MAX, Math.max(8, Math.ceil(last.totals.attempts / 6)));
        if (Math.abs(fit - steps) > steps / 3) {
            steps = fit;
            last = await course();
        }
        show(last);
        $("trouble").textContent = last.totals.attempts ? "" : t("eng.none");
        $("trouble").hidden = last.totals.attempts > 0;
        $("state").textContent = t("eng.as_of", { time: local(Date.now()).slice(11) });
    } catch (e) {
        $("trouble").textContent = e.message;
        $("trouble").hidden = false;
    }
}

const range = kept.get("range", "8");
for (const [v, key] of Object.entries(RANGES).sort((a, b) => (+a[0] || 1e9) - (+b[0] || 1e9))) // all of it last
    $("range").append(el("option", { value: v, selected: v === range }, t(key)));
$("range").addEventListener("change", () => { kept.set("range", $("range").value); ask(); });
document.addEventListener("fl-theme", () => { dress(); if (last) show(last); });
document.addEventListener("visibilitychange", ask);
dress();
await ask();
setInterval(ask, AGAIN_MS);
