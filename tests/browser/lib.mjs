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

let failed = 0, passed = 0;
export function check(what, good, detail = "") {
    if (good) passed++; else failed++;
    console.log(`${good ? "ok" : "not ok"} - ${what}${good || detail === "" ? "" : ": " + detail}`);
}
export function done() {
    console.log(`# ${passed} good, ${failed} bad`);
    process.exitCode = failed || !passed ? 1 : 0;
}
