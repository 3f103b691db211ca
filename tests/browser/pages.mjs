// SPDX-License-Identifier: Apache-2.0
// The pages in Chromium: tiles change live, tables sort, pages fit a phone, keyboard, contrast (axe-core), log-in, languages,
// first paint, weight. Argument: the folder of a station with records, which may still be made.
import { launch, fakeBoard, serve, check, done, axeSource, build, root } from "./lib.mjs";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const data = process.argv[2]; // the folder is filled meanwhile; the file `ready` in it says when
async function records() {
    const until = Date.now() + 120000;
    while (!existsSync(path.join(data, "ready")) && Date.now() < until) await new Promise((r) => setTimeout(r, 100));
    return data;
}
const browser = await launch();
const troubles = [];
async function open(url, { width = 1280, height = 800, dark = false, context } = {}) {
    const page = await (context ?? browser).newPage({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) troubles.push(`${url}: ${m.text()}`); });
    page.on("pageerror", (e) => troubles.push(`${url}: ${e}`));
    page.on("request", (r) => { if (!r.url().startsWith(new URL(url).origin) && !r.url().startsWith("blob:")) troubles.push(`asks elsewhere: ${r.url()}`); });
    await page.goto(url);
    return page;
}
const RULES = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], resultTypes: ["violations"], preload: false };
async function axe(page, what, options = RULES) {
    if (!(await page.evaluate(() => Boolean(window.axe))))
        await page.evaluate(axeSource + ";0"); // evaluated by the tool, which the page's policy does not bind
    const r = await page.evaluate((o) => axe.run(document, o), options);
    check(`axe: ${what}`, r.violations.length === 0, JSON.stringify(r.violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.target.join(" ") + ": " + n.failureSummary)])));
}
// One page in both themes at each size, loaded once: it must fit, and axe find nothing. Another theme changes colours alone.
async function looks(page, name, sizes, also = async () => {}) {
    for (const [width, height] of sizes) {
        await page.setViewportSize({ width, height });
        const here = `${name}, ${width} x ${height}`;
        await page.emulateMedia({ colorScheme: "light" });
        await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
        check(`fits: ${here}`, await fits(page));
        await also(here, width);
        await axe(page, here + ", light");
        await page.emulateMedia({ colorScheme: "dark" });
        await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
        await axe(page, here + ", dark", { ...RULES, runOnly: ["color-contrast"] });
    }
}
// Charts follow a new width a moment later.
const fits = (page) => page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, { timeout: 30000 }).then(() => true, () => false);

// ---- the board ---------------------------------------------------------------------------------------------------------
{
    const line = await fakeBoard("slots=8", "speed=8", "seed=3");
    const page = await open(line.url + "/");
    await page.waitForSelector(".tile");
    check("eight tiles", await page.locator(".tile").count() === 8);
    const seen = new Set();
    const began = Date.now();
    while (Date.now() - began < 60000 && !(seen.has("work") && seen.has("pass") && seen.has("empty"))) {
        for (const s of await page.locator(".tile").evaluateAll((l) => l.map((e) => e.dataset.state))) seen.add(s);
        await page.waitForTimeout(100);
    }
    check("tiles change live", seen.has("work") && seen.has("pass") && seen.has("empty"), [...seen].join(" "));
    await page.waitForSelector('.tile[data-state="work"].moving');
    const before = await page.locator(".tile.moving .bar").first().evaluate((e) => e.style.backgroundSize);
    await page.waitForFunction((b) => [...document.querySelectorAll(".tile.moving .bar")].some((e) => e.style.backgroundSize !== b), before, { timeout: 5000 });
    check("bars move", true);
    await page.waitForFunction(() => Number(document.getElementById("pass").textContent) > 0, null, { timeout: 15000 });
    check("the head counts", true);
    const url = line.url;
    await line.stop();
    await page.waitForFunction(() => document.body.classList.contains("lost"), null, { timeout: 10000 });
    check("a lost station shows", await page.locator("#alarm").isVisible() && url.length > 0);
    troubles.length = 0; // the lost connection is in the browser's own log
    await page.close();
}
for (const [slots, language, ...sizes] of [[8, "en", [1280, 800], [390, 844]], [64, "en", [1920, 1080], [390, 844]], [64, "zh", [1280, 720]], [1, "zh", [320, 568]]]) {
    const line = await fakeBoard(`slots=${slots}`, "still=1", "alarm=the disk is nearly full");
    const page = await open(line.url + "/?lang=" + language);
    await page.waitForSelector(".tile");
    await looks(page, `board, ${slots} slots, ${language}`, sizes, async (name, width) => {
        const cut = await page.locator(".tile .word").evaluateAll((l) => l.filter((e) => e.getBoundingClientRect().right > e.closest(".tile").getBoundingClientRect().right + 1).length);
        check(`words are whole: ${name}`, cut === 0, `${cut} cut`);
        if (width >= 1280) check(`no scrolling: ${name}`, await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight + 1));
    });
    await page.close();
    await line.stop();
}
{
    const line = await fakeBoard("slots=64", "speed=2"); // crowded: what came of a slot is shown at once, bars once a second
    const page = await open(line.url + "/");
    await page.waitForSelector(".tile.moving");
    const changes = await page.evaluate(() => new Promise((done) => {
        const at = { state: new Set(), bar: [] };
        new MutationObserver((l) => {
            for (const m of l)
                if (m.attributeName === "data-state") at.state.add(Math.round(performance.now() / 100));
                else if (m.target.className === "bar" && performance.now() - (at.bar.at(-1) ?? 0) > 300) at.bar.push(performance.now());
        }).observe(document.getElementById("slots"), { subtree: true, attributeFilter: ["data-state", "style"] });
        const began = performance.now();
        const timer = setInterval(() => { // a machine that is held up draws less in the same time
            const seconds = (performance.now() - began) / 1000;
            if (seconds < 2.5 || (seconds < 20 && (at.state.size <= 5 || !at.bar.length))) return;
            clearInterval(timer);
            done({ states: at.state.size, bars: at.bar.length, seconds });
        }, 100);
    }));
    check("on a crowded board states change at once and bars together", changes.states > 5 && changes.bars >= 1 && changes.bars <= changes.seconds + 2, JSON.stringify(changes));
    await page.close();
    await line.stop();
}
{
    const line = await fakeBoard("slots=8", "still=1", "refused=1", "said='MBX-77' is for which slot? Scan the slot first: nothing is done",
        "alarm=slot 3 is closed: 4 attempts in a row did not pass; the last: verify.md5 (flashline line ack --slot 3)");
    const page = await open(line.url + "/");
    await page.waitForSelector(".tile");
    const told = () => page.evaluate(() => [...document.querySelectorAll("[role=alert]:not([hidden])")].map((e) => e.textContent).join(" | "));
    check("a refused scan and an alarm are told at once", (await told()).includes("slot 3 is closed: 4 attempts") && (await told()).includes("✘ 'MBX-77' is for which slot?"), await told());
    await page.locator(".tile").first().focus();
    await page.keyboard.press("ArrowRight");
    check("arrows move between tiles", await page.evaluate(() => document.activeElement.querySelector(".num").textContent === "2"));
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    check("Enter shows the slot whole", await page.locator("#detail").isVisible() && (await page.locator("#detail").textContent()).includes("verify.md5"));
    await axe(page, "a slot's details");
    await page.keyboard.press("Escape");
    check("Escape closes it", !(await page.locator("#detail").isVisible()));
    await page.keyboard.press("Tab");
    check("the focus is where it was, and goes on", await page.evaluate(() => document.activeElement !== document.body));

    await page.goto(line.url + "/?lang=zh");
    await page.waitForSelector('.tile[data-state="fail"]');
    check("Chinese", (await page.locator('.tile[data-state="fail"] .word').first().textContent()) === "不合格" &&
        (await page.locator('.tile[data-state="fail"] .todo').first().textContent()).includes("红箱") && await page.evaluate(() => document.documentElement.lang) === "zh");
    check("what was said, in Chinese", await told() === "⚠ 3 号工位已停：连续 4 次未通过；最后一次：verify.md5（flashline line ack --slot 3） | ✘ 序列号 MBX-77 给哪个工位？请先扫描工位：未作任何改动", await told());
    const paints = [];
    for (let i = 0; i < 5; i++) {
        await page.goto(line.url + "/");
        await page.waitForSelector(".tile");
        paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
    }
    paints.sort((a, b) => a - b);
    console.log(`# first paint: ${paints.map((p) => p.toFixed(0)).join(" ")} ms`);
    await page.close();
    await line.stop();
}

// ---- every language has every key -----------------------------------------------------------------------------------------
{
    const line = await fakeBoard("slots=1");
    const get = async (l) => (await fetch(`${line.url}/assets/lang-${l}.json`)).json();
    const en = await get("en"), zh = await get("zh");
    const missing = Object.keys(en).filter((k) => !(k in zh)), extra = Object.keys(zh).filter((k) => !(k in en) && !/^(todo|what|say)\./.test(k));
    check("Chinese has every key and no other", !missing.length && !extra.length, [...missing, ...extra].join(" "));
    // what the station says in sentences is found again by its format, so a format that changes must change there too
    const bare = (s) => s.replace(/(%[-.0-9*]*(ll|z)?[sdu]|\{\d\})+/g, "\0").replaceAll("%%", "%");
    const said = new Set();
    const rooms = readdirSync(path.join(root, "station"), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name);
    for (const room of rooms)
        for (const f of readdirSync(path.join(root, "station", room)).filter((f) => f.endsWith(".c")))
            for (const [m] of readFileSync(path.join(root, "station", room, f), "utf8").matchAll(/"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*/g))
                said.add(bare(m.replace(/"\s*"/g, "").slice(1, -1)).replace(/^\0(?=slot \0 is closed)/, ""));
    const unsaid = Object.keys(zh).filter((k) => k.startsWith("say.") && !said.has(bare(k.slice(4))));
    check("every sentence that has a pattern is said somewhere", Object.keys(zh).some((k) => k.startsWith("say.")) && !unsaid.length, unsaid.join(" | "));
    const board = await (await fetch(line.url + "/")).text();
    check("the page itself has no script or style of its own", !/<script>|<style|style=|onclick=/.test(board));
    await line.stop();
}

// ---- from the records -----------------------------------------------------------------------------------------------------------
{
    const station = await serve(path.join(build, "flashline"), ["web", "--data", await records(), "--listen", "127.0.0.1:0"]);
    const shows = { "/engineer": "#slots_table tbody tr", "/unit?mac=c951": "#found tbody tr", "/unit?mac=24:6f:28:c9:51:ac": ".attempt", "/audit": "#facts dd", "/": ".tile" };
    for (const [language, sizes] of [["en", [[1280, 900], [390, 844]]], ["zh", [[390, 844]]]]) {
        const context = await browser.newContext();
        await context.addInitScript((l) => { localStorage.setItem("fl.range", "0"); localStorage.setItem("fl.lang", l); }, language);
        const page = await open(station.url + "/health", { context });
        for (const [path, ready] of Object.entries(shows)) {
            await page.goto(station.url + path);
            await page.waitForSelector(ready);
            check(`language: ${path}, ${language}`, await page.evaluate(() => document.documentElement.lang) === language);
            await looks(page, `${path}, ${language}`, sizes);
        }
        await context.close();
    }
    const page = await open(station.url + "/engineer");
    await page.selectOption("#range", "0");
    await page.waitForSelector("#slots_table tbody tr");
    const column = () => page.locator("#slots_table tbody tr td:first-child").allTextContents();
    const up = await column();
    await page.locator("#slots_table th button").first().click();
    const down = await column();
    check("tables sort", up.length === 8 && down.join() === [...up].reverse().join(), `${up} / ${down}`);
    check("the order is said", await page.locator("#slots_table th").first().getAttribute("aria-sort") === "descending");
    const drawn = await page.locator("canvas").evaluateAll((l) => l.map((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v)));
    check("four charts are drawn", drawn.length === 4 && drawn.every(Boolean), drawn.join());
    const weight = await page.evaluate(() => performance.getEntriesByType("resource").reduce((s, r) => s + r.encodedBodySize, performance.getEntriesByType("navigation")[0].encodedBodySize));
    check(`the whole page weighs ${weight} bytes, under 400 KB`, weight > 100000 && weight < 400000);
    await page.goto(station.url + "/audit");
    await page.fill("#leaf", "3");
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("#certificate button")]);
    check("a certificate is downloaded", file.suggestedFilename() === "record-3.tlog-proof");
    await page.close();
    process.kill(station.pid, "SIGTERM");
}

// ---- logging in -------------------------------------------------------------------------------------------------------------------
{
    const line = await fakeBoard("slots=2", "still=1", "login=1", `data=${await records()}`);
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await open(line.url + "/", { context });
    check("who is not logged in lands at /login", page.url().endsWith("/login"));
    await axe(page, "log-in");
    await page.fill("#name", "ann");
    await page.fill("#password", "not this one");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("wrong").textContent !== "");
    check("a wrong password is told so", true);
    troubles.length = 0; // the browser logs the 401
    await page.fill("#password", "long enough");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile");
    const links = await page.locator("#top nav a").allTextContents();
    check("an operator sees what is for an operator", links.join() === "Board,Unit,Audit", links.join());
    check("no cookie for scripts", await page.evaluate(() => document.cookie) === "");
    await page.locator(".settings summary").click();
    await axe(page, "the settings");
    await page.locator(".settings button", { hasText: "Log out" }).click();
    await page.waitForURL("**/login");
    await page.goto(line.url + "/engineer");
    check("logged out is out", page.url().endsWith("/login"));
    await page.fill("#name", "ann");
    await page.fill("#password", "long enough");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile");
    troubles.length = 0;
    execFileSync(path.join(build, "flashline"), ["web", "user", "ann", "--remove", "--data", data]);
    await page.waitForURL("**/login", { timeout: 15000 });
    check("a board whose user is taken out goes back to the log-in", true);
    troubles.splice(0, Infinity, ...troubles.filter((x) => !/401/.test(x))); // the browser logs it
    await context.close();
    await line.stop();
}
// ---- a report for paper -----------------------------------------------------------------------------------------------------------
{
    const html = execFileSync(path.join(build, "flashline"), ["report", "summary", "--format", "html", "--data", await records()]);
    const file = path.join(data, "..", "summary.html");
    writeFileSync(file, html);
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const asked = [];
    context.on("request", (r) => asked.push(r.url()));
    // between a page's layout for paper and its printing no script runs: nothing is drawn anew
    await context.addInitScript(() => { window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }; });
    const page = await context.newPage();
    await page.goto("file://" + path.resolve(file));
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 688, height: 970 }); // A4 less its margins, at 96 dots an inch
    const over = await page.evaluate(() => [...document.querySelectorAll(".plot")].map((p) =>
        p.querySelector("canvas").getBoundingClientRect().bottom - p.nextElementSibling.getBoundingClientRect().top));
    check("no chart lies over its table on paper", over.length >= 2 && over.every((x) => x <= 0), over.join());
    check("a report asks for nothing but itself", asked.length === 1, asked.join());
    await context.close();
}
check("no error in any page's console, no request elsewhere", troubles.length === 0, troubles.join("\n"));
await browser.close();
done();
