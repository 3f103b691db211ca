// SPDX-License-Identifier: Apache-2.0
// Tables that sort: by a click on a head, or Enter on it.
import { el } from "/assets/common.js";

// columns: [{key, title, text(row), right}]. The order chosen stays when the rows come anew.
export function sortable(table, columns, start, descending = false) {
    let by = start, down = descending, rows = [];
    const heads = columns.map((c) => {
        const button = el("button", { type: "button", onclick: () => { down = by === c.key ? !down : Boolean(c.right); by = c.key; draw(); } },
            c.title, el("span", { "aria-hidden": "true", class: "order" }));
        return el("th", { scope: "col", class: c.right ? "right" : "" }, button);
    });
    const body = el("tbody");
    table.replaceChildren(el("thead", {}, el("tr", {}, ...heads)), body);
    function draw() {
        columns.forEach((c, i) => {
            heads[i].setAttribute("aria-sort", c.key !== by ? "none" : down ? "descending" : "ascending");
            heads[i].querySelector(".order").textContent = c.key !== by ? "" : down ? " ▼" : " ▲";
        });
        const value = (r) => r[by] ?? -Infinity;
        const sorted = [...rows].sort((a, b) => {
            const x = value(a), y = value(b);
            const order = typeof x === "string" && typeof y === "string" ? x.localeCompare(y) : x < y ? -1 : x > y ? 1 : 0;
            return down ? -order : order;
        });
        body.replaceChildren(...sorted.map((r) => el("tr", {}, ...columns.map((c) =>
            el("td", { class: c.right ? "right" : "" }, c.text ? c.text(r) : String(r[c.key] ?? ""))))));
    }
    return (next) => { rows = next; draw(); };
}
