// SPDX-License-Identifier: Apache-2.0
// Logging in. A wall screen may be given its token in the address: /login#token=…
import { begin, t } from "/assets/common.js";

const $ = (id) => document.getElementById(id);
await begin({ page: "login", bar: false });

async function login(body) {
    const r = await fetch("/api/login", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (r.ok) {
        location.replace("/");
        return;
    }
    $("wrong").textContent = t(r.status === 429 ? "login.often" : r.status === 401 ? (body.token ? "login.wrong_token" : "login.wrong") : "login.failed");
    $("password").value = "";
    $("password").focus();
}

$("form").addEventListener("submit", (e) => {
    e.preventDefault();
    const token = $("token").value.trim();
    login(token ? { token } : { name: $("name").value.trim(), password: $("password").value });
});

const given = /^#token=([0-9a-f]{64})$/.exec(location.hash);
if (given) {
    history.replaceState(null, "", "/login"); // not left in the history
    login({ token: given[1] });
} else {
    $("name").focus();
}
