// SPDX-License-Identifier: Apache-2.0
// What every page shares: language, theme, who it is, the bar at the top. No framework, no request beyond this server.

export const LANGS = { en: "English", zh: "中文" };
let texts = {};
let english = {};
export let session = { login: false, name: "", role: "engineer", csrf: "" };

export const kept = {
    get: (key, otherwise) => { try { return localStorage.getItem("fl." + key) ?? otherwise; } catch { return otherwise; } },
    set: (key, value) => { try { localStorage.setItem("fl." + key, value); } catch { /* private window */ } },
};

// The text of a key; {name} is filled from `values`. A key that a language lacks is shown in English.
export function t(key, values) {
    let s = texts[key] ?? english[key] ?? key;
    for (const k in values) s = s.replaceAll("{" + k + "}", values[k]);
    return s;
}
// The text of a key, or `otherwise` where this language has none (the server's own English).
export const tOr = (key, otherwise) => texts[key] ?? otherwise;

// What to do about a slot's fault. Where a network leads to the slot some of these are others (event/fault.c).
export const todoText = (d) => (d.net && tOr("todo.net." + d.fault, "")) || tOr("todo." + d.fault, d.todo);

// A sentence that the station made (a scan, an alarm), in this language where it has a pattern for it: the key
// "say.lot {1} is made from now on". What stands in a placeholder is looked up too. Without one: as it came.
let patterns = null;
export function tSaid(text) {
    patterns ??= Object.keys(texts).filter((k) => k.startsWith("say.")).sort((a, b) => b.length - a.length).map((k) => [
        new RegExp("^" + k.slice(4).replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "(.*?)") + "$"), texts[k]]);
    return text.split(/; (?=slot \d+ is closed: |and \d+ more slots?$)/).map((one) => {
        for (const [pattern, to] of patterns) {
            const m = pattern.exec(one);
            if (m) return to.replace(/\{(\d)\}/g, (_, n) => tSaid(m[n]));
        }
        return one;
    }).join(t("amount.and"));
}

// A sentence of a record: in this language where it has a pattern, else as it was recorded, and said to be English.
export function recorded(text) {
    const said = tSaid(text);
    return said === text ? el("span", { lang: "en" }, text) : said;
}

export function lang() {
    const want = new URLSearchParams(location.search).get("lang") ?? kept.get("lang", navigator.language);
    return want.toLowerCase().startsWith("zh") ? "zh" : "en";
}

async function loadTexts() {
    const get = async (l) => (await fetch(`/assets/lang-${l}.json`)).json();
    [english, texts] = await Promise.all([get("en"), lang() === "en" ? get("en") : get(lang())]);
    document.documentElement.lang = lang();
}

export function fillTexts(root = document) {
    for (const e of root.querySelectorAll("[data-t]")) e.textContent = t(e.dataset.t);
    for (const e of root.querySelectorAll("[data-t-label]")) e.setAttribute("aria-label", t(e.dataset.tLabel));
}

export function el(tag, props = {}, ...children) {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(props)) {
        if (k === "class") e.className = v;
        else if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
        else if (v === true) e.setAttribute(k, "");
        else if (v !== false && v !== undefined && v !== null) e.setAttribute(k, v);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
}

export function applyTheme() {
    const want = kept.get("theme", "auto");
    const dark = !matchMedia("print").matches && (want === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : want === "dark"); // paper is white
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.dispatchEvent(new Event("fl-theme"));
}

const ROLES = ["anyone", "viewer", "operator", "engineer"];
export const may = (role) => ROLES.indexOf(session.role) >= ROLES.indexOf(role);

const PAGES = [
    { page: "board", href: "/", role: "viewer" },
    { page: "engineer", href: "/engineer", role: "engineer" },
    { page: "unit", href: "/unit", role: "operator" },
    { page: "audit", href: "/audit", role: "viewer" },
];

function choice(label, value, options, onchange) {
    const s = el("select", { onchange: () => onchange(s.value) });
    for (const [v, text] of options) s.append(el("option", { value: v, selected: v === value }, text));
    return el("label", {}, el("span", {}, label), s);
}
export function toggle(label, key, onchange = () => {}) {
    const box = el("input", { type: "checkbox", onchange: () => { kept.set(key, box.checked ? "1" : ""); onchange(box.checked); } });
    box.checked = kept.get(key, "") === "1";
    return el("label", {}, box, el("span", {}, label));
}

function settings(extra) {
    const box = el("details", { class: "settings" }, el("summary", { "aria-label": t("bar.settings") }, "☰ ", el("span", { class: "said" }, t("bar.settings"))));
    const list = el("div", {},
        choice(t("bar.language"), lang(), Object.entries(LANGS), (v) => {
            kept.set("lang", v);
            const to = new URL(location.href);
            to.searchParams.delete("lang");
            to.href === location.href ? location.reload() : location.replace(to);
        }),
        choice(t("bar.theme"), kept.get("theme", "auto"),
            ["auto", "light", "dark"].map((v) => [v, t("bar.theme_" + v)]), (v) => { kept.set("theme", v); applyTheme(); }),
        ...extra);
    if (session.login) {
        list.append(el("p", {}, t("bar.who", { name: session.name, role: t("role." + session.role) })),
            el("button", { onclick: logout }, t("bar.logout")));
    }
    box.append(list);
    document.addEventListener("click", (e) => { if (!box.contains(e.target)) box.open = false; });
    document.addEventListener("keydown", (e) => {
        if (e.key !== "Escape" || !box.open) return;
        if (box.contains(document.activeElement)) box.querySelector("summary").focus(); // or it would be lost with what is hidden
        box.open = false;
    });
    return box;
}

async function logout() {
    await fetch("/api/logout", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF": session.csrf }, body: "{}" });
    location.replace("/login");
}

function bar(page, extra) {
    const nav = el("nav", { "aria-label": t("bar.pages") });
    for (const p of PAGES)
        if (may(p.role))
            nav.append(el("a", { href: p.href, "aria-current": p.page === page ? "page" : null }, t("bar." + p.page)));
    return [el("a", { class: "brand", href: "/", "aria-label": "flashline" }, "⚡ ", el("b", {}, "flashline")), nav,
        el("span", { class: "contact", role: "status" }, el("span", { id: "dot", "aria-hidden": "true" }), " ", el("span", { id: "contact", class: "said" })), settings(extra)];
}

// Language, theme, session, bar. `extra` gives more rows for the settings, once texts are there.
export async function begin({ page, bar: withBar = true, extra = () => [] }) {
    applyTheme();
    for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", applyTheme);
    const [, who] = await Promise.all([loadTexts(), fetch("/api/session").then((r) => r.json())]);
    session = who;
    fillTexts();
    if (withBar) {
        document.getElementById("top").replaceChildren(...bar(page, extra()));
        document.title = t("bar." + page) + " · flashline";
    }
}

// JSON of a GET, or an Error whose message is the server's sentence. Not logged in any more: to /login.
export async function get(path) {
    const r = await answer(path), body = await r.json().catch(() => ({}));
    if (!r.ok) throw failure(body);
    return body;
}
async function answer(path) {
    const r = await fetch(path).catch(() => { throw new Error(t("err.contact")); });
    if (r.status === 401) location.replace("/login");
    return r;
}

// A refusal in this language, or the server's own sentence where it has none.
const failure = (body) => new Error(tOr("err." + body.error, body.text ?? t("err.failed")));

// The bytes of a GET; the reason, in this language, where there are none.
export async function getFile(path) {
    const r = await answer(path);
    if (!r.ok) throw failure(await r.json().catch(() => ({})));
    return r.blob();
}

export const number = (n) => new Intl.NumberFormat(lang()).format(n);
export const percent = (part, whole) => whole ? t("amount.percent", { n: (100 * part / whole).toFixed(part === whole ? 0 : 1) }) : "–";
export function bytes(n) {
    return n >= 1048576 ? t("amount.mib", { n: (n / 1048576).toFixed(1) }) : n >= 1024 ? t("amount.kib", { n: (n / 1024).toFixed(0) }) : t("amount.b", { n });
}
export const rate = (n) => t("amount.a_second", { n: n >= 1024 ? t("amount.kib", { n: (n / 1024).toFixed(n < 102400 ? 1 : 0) }) : t("amount.b", { n }) });
export function duration(ms) {
    const s = Math.max(0, ms / 1000), two = (n) => String(n).padStart(2, "0");
    if (s < 59.95) return t("amount.s", { n: s.toFixed(s < 9.95 ? 1 : 0) });
    if (s < 3600) return t("amount.min", { n: Math.floor(s / 60) + ":" + two(Math.floor(s % 60)) });
    return t("amount.h", { h: Math.floor(s / 3600), m: Math.floor(s % 3600 / 60) });
}
// "2026-11-23 10:38:10" here, in every language: 5/6 is May to one reader and June to the next.
export function local(ms) {
    const d = new Date(ms), two = (n) => String(n).padStart(2, "0");
    return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}
export const when = (iso) => iso ? local(Date.parse(iso)) : "–";
