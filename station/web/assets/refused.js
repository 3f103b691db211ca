// SPDX-License-Identifier: Apache-2.0
// A page that is not there, or not for this role: which of them, the server's status says.
import { begin, t } from "/assets/common.js";

await begin({ page: "refused", bar: false });
const why = { 403: "page.role", 404: "page.unknown" }[performance.getEntriesByType("navigation")[0]?.responseStatus];
document.getElementById("why").textContent = t(why ?? "err.failed");
