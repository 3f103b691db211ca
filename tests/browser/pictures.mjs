// SPDX-License-Identifier: Apache-2.0
// The pictures of the README: every page at 8 and 64 slots, light and dark, phone and wall, and the console.
// Arguments: a station's folder with records, the folder for the pictures. See scripts/pictures.
import { launch, fakeBoard, serve, build } from "./lib.mjs";
import { execFileSync } from "node:child_process";
import path from "node:path";

const [data, out] = process.argv.slice(2);
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
    return `<!doctype html><meta charset="utf-8"><body style="margin:0;background:#11161c"><pre style="display:inline-block;margin:0;padding:14px;font:18px/1.2 'DejaVu Sans Mono',monospace">${html}</pre>`;
}

async function consoleShot(name, slots, w, h, scale = 0.7) {
    const tmux = (...a) => execFileSync("tmux", ["-L", `fl-pictures-${process.pid}-${name}`, ...a], { encoding: "utf8" });
    tmux("-f", "/dev/null", "new-session", "-d", "-x", String(w), "-y", String(h),
        `LC_ALL=C.UTF-8 TERM=screen-256color ${path.join(build, "fake_board")} slots=${slots} still=1 listen= console=1 2>/dev/tty`);
    await new Promise((r) => setTimeout(r, 2500));
    const text = tmux("capture-pane", "-peN");
    tmux("kill-server");
    const page = await browser.newPage({ deviceScaleFactor: scale });
    await page.setContent(terminalPage(text));
    await page.locator("pre").screenshot({ path: path.join(out, name + ".png") });
    await page.close();
    console.log(name);
}

for (const slots of [8, 64]) {
    const line = await fakeBoard(`slots=${slots}`, "still=1");
    const ready = ".tile";
    await shoot(line.url + "/?wall", `wall-${slots}-dark`, { width: 1920, height: 1080, dark: true, ready });
    await shoot(line.url + "/?wall", `wall-${slots}-light`, { width: 1920, height: 1080, ready });
    await shoot(line.url + "/", `phone-${slots}-dark`, { width: 390, height: 844, dark: true, scale: 0.8, ready });
    await shoot(line.url + "/?lang=zh", `phone-${slots}-light-zh`, { width: 390, height: 844, scale: 0.8, ready });
    if (slots === 8)
        await shoot(line.url + "/", "slot", { width: 1280, height: 720, scale: 0.6, ready, before: (p) => p.locator('.tile[data-state="fail"]').click() });
    await line.stop();
}
const station = await serve(path.join(build, "flashline"), ["web", "--data", data, "--listen", "127.0.0.1:0"]);
for (const dark of [false, true]) {
    const tone = dark ? "dark" : "light";
    await shoot(station.url + "/engineer", `engineer-${tone}`, { width: 1280, height: 1000, dark, scale: 0.7, ready: "#slots_table tbody tr" });
    await shoot(station.url + "/unit?mac=24:6f:28:c9:51:ac", `unit-${tone}`, { width: 1280, height: 800, dark, scale: 0.6, ready: ".attempt" });
    await shoot(station.url + "/audit", `audit-${tone}`, { width: 1280, height: 800, dark, scale: 0.6, ready: "#facts dd" });
}
await shoot(station.url + "/engineer", "engineer-phone", { width: 390, height: 844, dark: true, scale: 0.8, ready: "#slots_table tbody tr" });
process.kill(station.pid, "SIGTERM");
await consoleShot("console-8", 8, 80, 24);
await consoleShot("console-64", 64, 80, 24);
await consoleShot("console-64-wide", 64, 200, 50, 0.5);
await browser.close();
