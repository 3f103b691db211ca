// SPDX-License-Identifier: Apache-2.0
// What the browser tests share: Debian's Chromium driven by playwright-core, and a station to look at.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const build = path.resolve(root, process.env.B ?? "build/san");
const require = createRequire(path.join(root, "build/npm-browser/package.json"));
const { chromium } = require("playwright-core");
export const axeSource = require("axe-core").source;

export const launch = () => chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"],
});

// Starts a program that prints its address as its first line; ends when its standard input does.
export async function serve(program, args, options = {}) {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
    const lines = createInterface({ input: child.stdout });
    const [url] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => { throw new Error(`${program} ended`); })]);
    return {
        url: url.replace(/\/$/, ""), pid: child.pid,
        async stop() {
            child.stdin.end();
            if (child.exitCode === null) await once(child, "exit");
            return child.exitCode;
        },
    };
}
export const fakeBoard = (...args) => serve(path.join(build, "fake_board"), args);

// ---- pages -----------------------------------------------------------------------------------------------------------
let browser = null;

// A page in a context of its own; what it complains of, and whatever it asks of another host, goes to `troubles`.
export async function open(troubles, { width = 1280, height = 800, dark = false } = {}) {
    browser ??= launch();
    const context = await (await browser).newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
    const page = await context.newPage();
    const elsewhere = (url) => new URL(url).origin !== new URL(page.url()).origin && !/^(blob|file|data):/.test(url);
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) troubles.push(`${page.url()}: ${m.text()}`); });
    page.on("pageerror", (e) => troubles.push(`${page.url()}: ${e}`));
    page.on("request", (r) => { if (!r.isNavigationRequest() && elsewhere(r.url())) troubles.push(`asks elsewhere: ${r.url()}`); });
    return page;
}

// Most of a check is waiting: SECTIONS of them go on at a time, in one browser, each with a page of its own.
const SECTIONS = 3;
const waiting = [], running = new Set();
export const section = (name, work) => waiting.push({ name, work });
async function run({ name, work }) {
    const troubles = [], began = Date.now();
    const page = await open(troubles);
    try {
        await work(page, troubles);
    } catch (e) {
        check(name, false, e.stack);
    }
    check(`no error in the console of ${name}, no request elsewhere`, troubles.length === 0, troubles.join("\n"));
    await page.context().close();
    console.log(`# ${name}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
export async function sections() {
    while (waiting.length || running.size) {
        while (waiting.length && running.size < SECTIONS) {
            const one = run(waiting.shift()).finally(() => running.delete(one));
            running.add(one);
        }
        await Promise.race(running);
    }
    await (await browser).close();
}

// A page whose scripts have run to their end: a key that is pressed before is nobody's.
export async function visit(page, url) {
    await page.goto(url);
    await page.evaluate(() => Promise.all([...document.querySelectorAll("script[type=module]")].map((s) => import(s.src))));
}

// The line ends when nobody looks at it any more: else its end is what the page complains of.
export async function leave(page, line) {
    await page.goto("about:blank");
    await line.stop();
}

const RULES = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"], preload: false };
export async function axe(page, what, { options = RULES, part = "body", but } = {}) {
    if (!(await page.evaluate(() => Boolean(window.axe))))
        await page.evaluate(axeSource + ";0"); // evaluated by the tool, which the page's policy does not bind
    const shown = (visibility) => page.evaluate(([b, v]) => { for (const e of document.querySelectorAll(b)) e.style.visibility = v; }, [but, visibility]);
    if (but) await shown("hidden"); // in its place, and not looked at
    const r = await page.evaluate(([c, o]) => axe.run(c, o), [{ include: [[part]] }, options]);
    if (but) await shown("");
    check(`axe: ${what}`, r.violations.length === 0, JSON.stringify(r.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.target.join(" ") + ": " + n.failureSummary)])));
}

// Charts follow a new width a moment later.
const fits = (page) => page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, { timeout: 5000 }).then(() => true, () => false);

// One page (`part` of it alone; all of it but `but`) in both themes at each size, loaded once: it must fit, and axe find
// nothing. Another theme changes colours alone.
export async function looks(page, name, sizes, { also = async () => {}, part, but } = {}) {
    for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        const here = `${name}, ${width} x ${height}`;
        await page.emulateMedia({ colorScheme: "light" });
        await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
        check(`fits: ${here}`, await fits(page));
        await also(here, width);
        await axe(page, here + ", light", { part, but });
        await page.emulateMedia({ colorScheme: "dark" });
        await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
        await axe(page, here + ", dark", { part, but, options: { ...RULES, runOnly: ["color-contrast"] } });
    }
}

// By Tab alone: all that can be used is reached, in the order of the page, and is seen to be where the focus is; within `part`
// of the page (a dialog holds the focus; of the settings the rest of the page is not looked at).
export async function walk(page, name, part = "body") {
    const at = () => page.evaluate((part) => {
        const can = [...document.querySelectorAll(`${part} :is(a[href], button, input, select, summary, textarea, [tabindex="0"])`)]
            .filter((e) => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }));
        const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
        return { of: can.map((x) => x.id || x.textContent.trim().slice(0, 20) || x.tagName), i: can.indexOf(e),
            seen: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight) || e === document.body };
    }, part);
    const order = [], unseen = [];
    let { of } = await at();
    for (let i = 0; i < 3 * of.length + 40 && new Set(order).size < of.length; i++) {
        await page.keyboard.press("Tab");
        const here = await at();
        of = here.of;
        if (here.i < 0) continue;
        if (!here.seen) unseen.push(of[here.i]);
        order.push(here.i);
    }
    const left = of.filter((_, i) => !order.includes(i)), turns = order.filter((x, i) => i && x < order[i - 1]).length;
    check(`by Tab alone: ${name}`, of.length > 0 && !left.length && !unseen.length && turns <= 1,
        `never reached: ${left.join(", ")}; not seen: ${unseen.join(", ")}; ${turns} times back`);
}

let failed = 0, passed = 0;
export function check(what, good, detail = "") {
    if (good) passed++; else failed++;
    console.log(`${good ? "ok" : "not ok"} - ${what}${good || detail === "" ? "" : ": " + detail}`);
}
export function done() {
    console.log(`# ${passed} good, ${failed} bad`);
    process.exitCode = failed || !passed ? 1 : 0;
}
