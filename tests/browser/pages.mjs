// SPDX-License-Identifier: Apache-2.0
// The pages in Chromium: tiles change live, tables sort, pages fit a phone, all is done by keys alone, contrast (axe-core),
// log-in, languages, first paint, weight. Argument: the folder of a station with records, which may still be made.
import { fakeBoard, serve, check, done, open, axe, looks, walk, visit, leave, section, sections, build } from "./lib.mjs";
import { sentences } from "./sentences.mjs";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";

const data = process.argv[2]; // the folder is filled meanwhile; the file `ready` in it says when
async function records() {
    const until = Date.now() + 120000;
    while (!existsSync(path.join(data, "ready")) && Date.now() < until) await new Promise((r) => setTimeout(r, 100));
    return data;
}

// ---- the board ---------------------------------------------------------------------------------------------------------
section("a live board", async (page, troubles) => {
    const line = await fakeBoard("slots=8", "speed=8", "seed=3");
    await page.goto(line.url + "/");
    await page.waitForSelector(".tile");
    check("eight tiles", await page.locator(".tile").count() === 8);
    const seen = new Set();
    const began = Date.now();
    while (Date.now() - began < 15000 && !(seen.has("work") && seen.has("pass") && seen.has("empty"))) {
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
    await line.stop();
    await page.waitForFunction(() => document.body.classList.contains("lost"), null, { timeout: 10000 });
    check("a lost station shows", await page.locator("#alarm").isVisible());
    troubles.length = 0; // the lost connection is in the browser's own log
});
section("a crowded board", async (page) => { // what came of a slot is shown at once, bars once a second
    const line = await fakeBoard("slots=64", "speed=2");
    await page.goto(line.url + "/");
    await page.waitForSelector(".tile.moving");
    const changes = await page.evaluate(() => new Promise((done) => {
        const at = { state: new Set(), bar: [] }, began = performance.now();
        new MutationObserver((l) => {
            for (const m of l)
                if (m.attributeName === "data-state") at.state.add(Math.round(performance.now() / 100));
                else if (m.target.className === "bar" && performance.now() - (at.bar.at(-1) ?? 0) > 300) at.bar.push(performance.now());
        }).observe(document.getElementById("slots"), { subtree: true, attributeFilter: ["data-state", "style"] });
        setTimeout(() => done({ states: at.state.size, bars: at.bar.length, seconds: (performance.now() - began) / 1000 }), 2500); // later where the machine is busy
    }));
    check("on a crowded board states change at once and bars together", changes.states > 5 && changes.bars >= 1 && changes.bars <= 2 + changes.seconds, JSON.stringify(changes));
    await leave(page, line);
});
for (const [slots, language, ...sizes] of [[8, "en", [1280, 800], [390, 844]], [64, "en", [1920, 1080], [390, 844]], [64, "zh", [1280, 720]], [1, "zh", [320, 568]]])
    section(`the board, ${slots} slots, ${language}`, async (page) => {
        const line = await fakeBoard(`slots=${slots}`, "still=1", "alarm=the disk is nearly full");
        await page.goto(line.url + "/?lang=" + language);
        await page.waitForSelector(".tile");
        const also = async (name, width) => {
            const cut = await page.locator(".tile .word").evaluateAll((l) => l.filter((e) => e.getBoundingClientRect().right > e.closest(".tile").getBoundingClientRect().right + 1).length);
            check(`words are whole: ${name}`, cut === 0, `${cut} cut`);
            if (width >= 1280) check(`no scrolling: ${name}`, await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight + 1));
        };
        // every look there is comes round every seventeen tiles: of more of the same colours axe would say the same again
        await looks(page, `board, ${slots} slots, ${language}`, sizes, { also, but: ".tile:nth-child(n + 18)" });
        await leave(page, line);
    });
section("alarm, scan, a slot whole", async (page) => {
    const line = await fakeBoard("slots=8", "still=1", "refused=1", "said='MBX-77' is for which slot? Scan the slot first: nothing is done", "said_slot=3",
        "alarm=slot 3 is closed: 4 attempts in a row did not pass; the last: verify.md5 (flashline line ack --slot 3); and 2 more slots");
    await page.goto(line.url + "/");
    await page.waitForSelector(".tile");
    const told = () => page.evaluate(() => [...document.querySelectorAll("[role=alert]:not([hidden])")].map((e) => e.textContent).join(" | "));
    check("a refused scan and an alarm are told at once", (await told()).includes("slot 3 is closed: 4 attempts") && (await told()).includes("✘ 'MBX-77' is for which slot?"), await told());
    const onTile = () => page.locator(".tile .said").allTextContents();
    check("and stands on the tile of its slot alone", (await onTile()).map((s) => s !== "").join() === "false,false,true,false,false,false,false,false" &&
        await page.locator(".tile .said").nth(2).isVisible(), (await onTile()).join("|"));
    await walk(page, "the board");
    await page.locator(".tile").first().focus();
    await page.keyboard.press("ArrowRight");
    check("arrows move between tiles", await page.evaluate(() => document.activeElement.querySelector(".num").textContent === "2"));
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    check("Enter shows the slot whole", await page.locator("#detail").isVisible() && (await page.locator("#detail").textContent()).includes("verify.md5"));
    await page.keyboard.press("Escape");
    check("Escape closes it", !(await page.locator("#detail").isVisible()));
    await page.keyboard.press("Tab");
    check("the focus is where it was, and goes on", await page.evaluate(() => document.activeElement !== document.body));

    await page.locator(".settings summary").focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    check("the settings are reached by keys", await page.evaluate(() => document.activeElement.tagName === "SELECT" && document.activeElement.value === "auto"));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    check("and changed by them", await page.evaluate(() => document.documentElement.dataset.theme === "dark" && localStorage.getItem("fl.theme") === "dark"));
    await page.keyboard.press("Escape");
    check("Escape closes them and the focus stays", await page.evaluate(() => !document.querySelector(".settings").open && document.activeElement.tagName === "SUMMARY"));
    await page.evaluate(() => localStorage.setItem("fl.theme", "auto"));

    await page.goto(line.url + "/?lang=zh");
    await page.waitForSelector('.tile[data-state="fail"]');
    check("Chinese", (await page.locator('.tile[data-state="fail"] .word').first().textContent()) === "不合格" &&
        (await page.locator('.tile[data-state="fail"] .todo').first().textContent()).includes("红箱") && await page.evaluate(() => document.documentElement.lang) === "zh");
    check("what was said, in Chinese", await told() === "⚠ 3 号工位已停：连续 4 次未通过；最后一次：verify.md5（flashline line ack --slot 3）；另有 2 个工位 | ✘ 序列号 MBX-77 给哪个工位？请先扫描工位：未作任何改动", await told());
    const paints = [];
    for (let i = 0; i < 5; i++) {
        await page.goto(line.url + "/");
        await page.waitForSelector(".tile");
        paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0));
    }
    console.log(`# first paint beside other pages: ${paints.sort((a, b) => a - b).map((p) => p.toFixed(0)).join(" ")} ms`);
    await leave(page, line);
});
// What opens over a page, in every language and both themes.
for (const language of ["en", "zh"])
    section(`settings and a slot's details, ${language}`, async (page) => {
        const line = await fakeBoard("slots=8", "still=1", "login=1", `data=${await records()}`);
        await visit(page, line.url + "/login?lang=" + language);
        await page.evaluate((l) => localStorage.setItem("fl.lang", l), language);
        const sizes = language === "en" ? [[1280, 800], [390, 844]] : [[390, 844]];
        await looks(page, `log-in, ${language}`, sizes);
        await page.locator("details summary").click();
        if (language === "en") await walk(page, "log-in");
        await page.fill("#name", "eva");
        await page.fill("#password", "long enough");
        await page.focus("#password");
        await page.keyboard.press("Enter");
        await page.waitForSelector('.tile[data-state="fail"]');
        await page.locator('.tile[data-state="fail"]').first().click();
        await looks(page, `a slot's details, ${language}`, sizes, { part: "#detail" });
        if (language === "en") await walk(page, "a slot's details", "#detail");
        await page.keyboard.press("Escape");
        for (const [at, size] of [["/", [390, 844]], ["/audit", sizes[0]]]) {
            await visit(page, line.url + at);
            await page.locator(".settings summary").click();
            await looks(page, `settings, ${at}, ${language}`, [size], { part: ".settings" });
            if (language === "en") await walk(page, `settings, ${at}`, ".settings");
        }
        await leave(page, line);
    });

// ---- every language has every key -----------------------------------------------------------------------------------------
section("languages", async (page) => {
    const line = await fakeBoard("slots=1");
    const get = async (l) => (await fetch(`${line.url}/assets/lang-${l}.json`)).json();
    sentences(await get("en"), await get("zh"), check);
    const board = await (await fetch(line.url + "/")).text();
    check("the page itself has no script or style of its own", !/<script>|<style|style=|onclick=/.test(board));
    await leave(page, line);
});

// ---- from the records -----------------------------------------------------------------------------------------------------------
const station = records().then((folder) => serve(path.join(build, "flashline"), ["web", "--data", folder, "--listen", "127.0.0.1:0"]));
const shows = { "/engineer": "#slots_table tbody tr", "/unit?mac=c951": "#found tbody tr", "/unit?mac=24:6f:28:c9:51:ac": ".attempt", "/audit": "#facts dd", "/": ".tile" };
for (const [language, sizes] of [["en", [[1280, 900], [390, 844]]], ["zh", [[390, 844]]]])
    section(`the records, ${language}`, async (page) => {
        const { url } = await station;
        await page.context().addInitScript((l) => { localStorage.setItem("fl.range", "0"); localStorage.setItem("fl.lang", l); }, language);
        for (const [at, ready] of Object.entries(shows)) {
            await page.goto(url + at);
            await page.waitForSelector(ready);
            check(`language: ${at}, ${language}`, await page.evaluate(() => document.documentElement.lang) === language);
            await looks(page, `${at}, ${language}`, sizes);
            if (language === "en") await walk(page, at); // what can be used is the same in every language
        }
    });
section("a unit that failed", async (page) => {
    const { url } = await station;
    for (const [language, what] of [["en", "the flash does not hold what was written"], ["zh", "闪存内容与写入的不同"]]) {
        await page.goto(`${url}/unit?mac=24:6f:28:c9:51:a8&lang=${language}`);
        const told = await page.locator(".attempt").first().innerText();
        check(`what happened is told, ${language}`, told.includes(what), told);
        check(`a day is no riddle, ${language}`, /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(told) && !/\d\/\d/.test(told.split("\n")[0]), told.split("\n")[0]);
    }
});
section("engineer, unit and audit by keys", async (page) => {
    const { url } = await station;
    const Tab = async (until) => { // until the focus is where `until` says
        for (let i = 0; i < 60 && !(await page.evaluate(until)); i++) await page.keyboard.press("Tab");
    };
    await visit(page, url + "/engineer");
    await Tab(() => document.activeElement.id === "range");
    await page.keyboard.press("End");
    await page.waitForFunction(() => document.getElementById("range").value === "0", null, { timeout: 5000 }).catch(() => {});
    check("the range is chosen by keys", await page.locator("#range").inputValue() === "0");
    await page.waitForSelector("#slots_table tbody tr");
    const column = () => page.locator("#slots_table tbody tr td:first-child").allTextContents();
    const up = await column();
    await Tab(() => document.activeElement.closest("#slots_table th") !== null);
    await page.keyboard.press("Enter");
    const down = await column();
    check("tables sort", up.length === 8 && down.join() === [...up].reverse().join(), `${up} / ${down}`);
    check("the order is said", await page.locator("#slots_table th").first().getAttribute("aria-sort") === "descending");
    const drawn = await page.locator("canvas").evaluateAll((l) => l.map((c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v)));
    check("four charts are drawn", drawn.length === 4 && drawn.every(Boolean), drawn.join());
    const weight = await page.evaluate(() => performance.getEntriesByType("resource").reduce((s, r) => s + r.encodedBodySize, performance.getEntriesByType("navigation")[0].encodedBodySize));
    check(`the whole page weighs ${weight} bytes, under 400 KB`, weight > 100000 && weight < 400000);
    await page.emulateMedia({ colorScheme: "dark", media: "print" });
    await page.setViewportSize({ width: 688, height: 970 }); // A4 less its margins, at 96 dots an inch
    check("on paper it is light, without the bar, and nothing is cut", await page.evaluate(() => document.documentElement.dataset.theme === "light" &&
        document.getElementById("top").offsetHeight === 0 && [...document.querySelectorAll("table, canvas")].every((e) => e.getBoundingClientRect().right <= innerWidth)));
    await page.emulateMedia({ colorScheme: "light", media: "screen" });
    await visit(page, url + "/unit");
    await Tab(() => document.activeElement.id === "q");
    await page.keyboard.type("c951");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#found tbody tr");
    await Tab(() => document.activeElement.closest("#found td a") !== null);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".attempt");
    check("a unit is found by keys", /mac=\w\w%3A/.test(page.url()));
    await visit(page, url + "/audit");
    await page.waitForSelector("#facts dd");
    await Tab(() => document.activeElement.id === "leaf");
    await page.keyboard.type("3");
    const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    check("a certificate is downloaded", file.suggestedFilename() === "record-3.tlog-proof");
});

// ---- logging in -------------------------------------------------------------------------------------------------------------------
section("logging in", async (page, troubles) => {
    const line = await fakeBoard("slots=2", "still=1", "login=1", `data=${await records()}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await visit(page, line.url + "/");
    check("who is not logged in lands at /login", page.url().endsWith("/login"));
    await page.fill("#name", "ann");
    await page.fill("#password", "not this one");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("wrong").textContent !== "");
    check("a wrong password is told so", true);
    await axe(page, "log-in, a wrong password");
    troubles.length = 0; // the browser logs the 401
    await page.fill("#password", "long enough");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile");
    const links = await page.locator("#top nav a").allTextContents();
    check("an operator sees what is for an operator", links.join() === "Board,Unit,Audit", links.join());
    check("no cookie for scripts", await page.evaluate(() => document.cookie) === "");
    for (const [at, words] of [["/engineer", "This page is not for your role."], ["/nothing", "There is no such page."]]) {
        await page.goto(line.url + at);
        await page.waitForFunction(() => document.getElementById("why")?.textContent);
        check(`${at} is refused in words`, await page.locator("#why").textContent() === words, await page.locator("#why").textContent());
        await axe(page, `${at}, refused`);
    }
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile");
    check("and leads back to the board", new URL(page.url()).pathname === "/");
    troubles.length = 0; // the browser logs 403 and 404
    await page.locator(".settings summary").click();
    await page.locator(".settings button", { hasText: "Log out" }).click();
    await page.waitForURL("**/login");
    await visit(page, line.url + "/engineer");
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
    await leave(page, line);
});
// ---- a report for paper -----------------------------------------------------------------------------------------------------------
section("a report for paper", async (page) => {
    const html = execFileSync(path.join(build, "flashline"), ["report", "summary", "--format", "html", "--data", await records()]);
    const file = path.join(data, "..", "summary.html");
    writeFileSync(file, html);
    const asked = [];
    page.context().on("request", (r) => asked.push(r.url()));
    // between a page's layout for paper and its printing no script runs: nothing is drawn anew
    await page.context().addInitScript(() => { window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }; });
    await page.goto("file://" + path.resolve(file));
    await page.emulateMedia({ media: "print" });
    await page.setViewportSize({ width: 688, height: 970 }); // A4 less its margins, at 96 dots an inch
    const over = await page.evaluate(() => [...document.querySelectorAll(".plot")].map((p) =>
        p.querySelector("canvas").getBoundingClientRect().bottom - p.nextElementSibling.getBoundingClientRect().top));
    check("no chart lies over its table on paper", over.length >= 2 && over.every((x) => x <= 0), over.join());
    check("a report asks for nothing but itself", asked.length === 1, asked.join());
    for (const name of ["lot", "shift", "slots", "units"]) { // the widest tables
        writeFileSync(file, execFileSync(path.join(build, "flashline"), ["report", name, "--format", "html", "--data", await records()]));
        await page.goto("file://" + path.resolve(file));
        const wide = await page.evaluate(() => [...document.querySelectorAll("table")].map((t) => t.getBoundingClientRect().right));
        check(`the report ${name} fits on paper`, wide.length > 0 && wide.every((x) => x <= 689), wide.join());
    }
});
await sections();
process.kill((await station).pid, "SIGTERM");
done();
