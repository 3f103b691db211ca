// SPDX-License-Identifier: Apache-2.0
// The pictures of the READMEs: every page and the terminal of a line that works, in light and dark, on a phone and on a
// wall screen. Arguments: the line's address, how many slots it has, its folder, the folder for the pictures; in
// $TMUX_SOCKET runs its console. See scripts/pictures.
import { launch } from "./lib.mjs";
import { execFileSync } from "node:child_process";
import path from "node:path";

const [url, slots, data, out] = process.argv.slice(2);
const browser = await launch();

async function shoot(url, name, { width, height, dark = false, scale = 0.5, ready, before }) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", deviceScaleFactor: scale });
    await context.addInitScript(() => localStorage.setItem("fl.range", "0"));
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForSelector(ready);
    await page.waitForTimeout(1500);
    await before?.(page);
    await page.screenshot({ path: path.join(out, name + ".png") });
    await context.close();
    console.log(name);
}

// What a terminal shows, as a page: the attributes that ncurses uses, in a palette of our own.
function terminalPage(text) {
    const palette = ["#11161c", "#b5121d", "#35b266", "#e0a800", "#1b4f8a", "#7a2aa0", "#1d7a86", "#e8edf2"];
    const esc = (s) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;");
    let state = {}, html = "";
    for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
        const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
        if (!codes) {
            const fg = state.fg ?? 7, bg = state.bg;
            const front = state.reverse ? palette[bg ?? 0] : palette[fg], back = state.reverse ? palette[fg] : bg === undefined ? "transparent" : palette[bg];
            html += `<span style="color:${front};background:${back};${state.bold ? "font-weight:700;" : ""}${state.dim ? "opacity:.62" : ""}">${esc(part)}</span>`;
            continue;
        }
        for (const c of (codes[1] || "0").split(";").map(Number)) {
            if (c === 0) state = {};
            else if (c === 1) state.bold = true;
            else if (c === 2) state.dim = true;
            else if (c === 7) state.reverse = true;
            else if (c >= 30 && c <= 37) state.fg = c - 30;
            else if (c === 39) delete state.fg;
            else if (c >= 40 && c <= 47) state.bg = c - 40;
            else if (c === 49) delete state.bg;
        }
    }
    return `<!doctype html><meta charset="utf-8"><body style="margin:0;background:#11161c"><pre style="display:inline-block;margin:0;padding:20px;font:17.19px/20px 'DejaVu Sans Mono',monospace;letter-spacing:-.35px">${html}</pre>`;
}

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
async function consoleShot(name, w, h, scale) {
    const tmux = (...a) => execFileSync("tmux", ["-L", process.env.TMUX_SOCKET, ...a], { encoding: "utf8" });
    tmux("resize-window", "-x", String(w), "-y", String(h));
    await sleep(1500);
    const page = await browser.newPage({ deviceScaleFactor: scale });
    await page.setContent(terminalPage(tmux("capture-pane", "-peN")));
    await page.locator("pre").screenshot({ path: path.join(out, name + ".png") });
    await page.close();
    console.log(name);
}

// the unit with the longest life: its page shows most
const mac = execFileSync("sqlite3", [`file:${data}/flashline.db?mode=ro`, "SELECT mac FROM attempt_view WHERE mac IS NOT NULL GROUP BY mac ORDER BY count(*) DESC, min(leaf) LIMIT 1"], { encoding: "utf8" }).trim();
const pages = {
    board: { at: "/?wall", phone: "/", ready: ".tile" },
    engineer: { at: "/engineer", ready: "#slots_table tbody tr" },
    unit: { at: "/unit?mac=" + mac, ready: ".attempt" },
    audit: { at: "/audit", ready: "#facts dd" },
};
for (const [name, p] of Object.entries(pages))
    for (const dark of [false, true]) {
        const tone = dark ? "dark" : "light";
        await shoot(url + p.at, `${name}-${slots}-wall-${tone}`, { width: 1920, height: 1080, dark, scale: 0.4, ready: p.ready });
        await shoot(url + (p.phone ?? p.at), `${name}-${slots}-phone-${tone}`, { width: 390, height: 844, dark, scale: 0.65, ready: p.ready });
    }
await shoot(url + "/?lang=zh", `board-${slots}-phone-zh`, { width: 390, height: 844, scale: 0.65, ready: ".tile" });
if (slots === "8")
    await shoot(url + "/", "slot", { width: 1280, height: 720, scale: 0.6, ready: ".tile.hand", before: (p) => p.locator(".tile.hand").first().click() });
await consoleShot(`console-${slots}`, 80, 24, 0.7);
await consoleShot(`console-${slots}-wide`, 200, 50, 0.5);
await browser.close();
