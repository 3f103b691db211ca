// SPDX-License-Identifier: Apache-2.0
// canon.mjs make DIR COUNT SEED: random records in DIR/texts, a text a line, and in DIR/kinds what each is:
//   canonical   as the npm package canonicalize (RFC 8785) writes it
//   respelled   the same value spelled otherwise: white space, order, escapes
//   outside     valid JSON, but not in our subset: reals, large numbers, other keys, halves of surrogate pairs, a key twice
//   broken      no JSON
// canon.mjs judge DIR: holds DIR/ours (y or n: is it canonical?) and DIR/again (the value written anew, - refused) against it.
import { readFileSync, writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
const { default: canonicalize } = await import(pathToFileURL(process.cwd() + "/build/npm-outside/node_modules/canonicalize/lib/canonicalize.js"))

const [, , mode, dir, count, seed] = process.argv
let state = Number(seed) >>> 0 || 1
const random = () => { // xorshift32: the same documents each time
    state ^= state << 13; state >>>= 0
    state ^= state >>> 17
    state ^= state << 5; state >>>= 0
    return state / 2 ** 32
}
const below = n => Math.floor(random() * n)
const pick = a => a[below(a.length)]

const points = ['"', "\\", "/", "\b", "\f", "\n", "\r", "\t", "\u0001", "\u001f", "\u007f", "\u0080", "\u00e9", "\u2028", "\u2029", "\ufeff", "\ufffd",
    "\uffff", "\ud7ff", "\ue000", "\u{10000}", "\u{1f600}", "\u{10ffff}", "a", "Z", "0", " ", "\u20ac", "\ufb33", "</script>", "%s"]
const text = () => Array.from({ length: below(12) }, () => random() < 0.4 ? pick(points) : String.fromCodePoint(32 + below(95))).join("")
const key = () => Array.from({ length: 1 + below(8) }, () => pick([..."abcxyz019_"])).join("")
const number = () => pick([0, 1, -1, below(1000), -below(1000), below(2 ** 31), 2 ** 53 - 1, -(2 ** 53 - 1), 10 ** 15, 2 ** 52])
const value = depth => {
    const kind = below(depth > 4 ? 5 : 8)
    if (kind < 2) return text()
    if (kind === 2) return number()
    if (kind === 3) return random() < 0.5
    if (kind === 4) return null
    if (kind === 5) return Array.from({ length: below(5) }, () => value(depth + 1))
    return record(depth + 1)
}
const record = depth => Object.fromEntries(Array.from({ length: below(8) }, () => [key(), value(depth)]))

// the same value, spelled by chance
const space = () => random() < 0.15 ? pick([" ", "\t", "  "]) : ""
const spell_text = s => '"' + Array.from(s).map(c => {
    const u = Array.from({ length: c.length }, (_, i) => "\\u" + c.charCodeAt(i).toString(16).padStart(4, "0")).join("")
    return c < " " || c === '"' || c === "\\" ? pick([JSON.stringify(c).slice(1, -1), u, u.toUpperCase().replaceAll("\\U", "\\u")]) : c === "/" ? pick(["/", "\\/"])
        : random() < 0.1 ? u : c
}).join("") + '"'
const shuffled = a => a.map(x => [random(), x]).sort((x, y) => x[0] - y[0]).map(x => x[1])
const spell = v => space() + (Array.isArray(v) ? "[" + v.map(spell).join(",") + space() + "]"
    : v !== null && typeof v === "object" ? "{" + shuffled(Object.keys(v)).map(k => space() + spell_text(k) + space() + ":" + spell(v[k])).join(",") + space() + "}"
    : typeof v === "string" ? spell_text(v) : v === 0 && random() < 0.3 ? "-0" : JSON.stringify(v)) + space()

const strangers = ["1.5", "1e2", "1.0", "0.1", "9007199254740992", "-9007199254740992", "1e400", "123456789012345678901", '"\\ud800"', '"\\udc00x"', '{"A":1}', '{"a-b":1}',
    '{"":1}', '{"\u00e9":1}', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}']
const broken = t => {
    const i = below(t.length)
    return pick([t.slice(0, i), t + "}", t.slice(0, i) + t.slice(i + 1), t.slice(0, i) + pick(["'", ",", "\u0001", "\\x", "01", "+1", "nul", "\\u12"]) + t.slice(i), "//" + t])
}
const parsed = t => { try { return { v: JSON.parse(t) } } catch { return null } }

function make() {
    const texts = [], kinds = []
    const put = (t, kind) => { texts.push(t); kinds.push(kind) }
    for (let n = 0; n < Number(count); n++) {
        const v = record(0), c = canonicalize(v)
        put(c, "canonical")
        const s = spell(v).trim()
        put(s, s === c ? "canonical" : "respelled")
        put(canonicalize({ ...v, zz: "@" }).replace('"@"', pick(strangers)), "outside")
        const b = broken(c)
        if (!parsed(b) && !b.includes("\n")) put(b, "broken")
    }
    writeFileSync(dir + "/texts", texts.join("\n") + "\n")
    writeFileSync(dir + "/kinds", kinds.join("\n") + "\n")
}

function judge() {
    const read = f => readFileSync(dir + "/" + f, "utf8").split("\n").slice(0, -1)
    const texts = read("texts"), kinds = read("kinds"), ours = read("ours"), again = read("again"), seen = {}
    const wrong = (i, what) => { console.log(`text ${i + 1} (${kinds[i]}): ${what}\n${texts[i]}\n${again[i]}`); process.exit(1) }
    if (ours.length !== texts.length || again.length !== texts.length) wrong(0, `${ours.length} answers for ${texts.length} texts`)
    texts.forEach((t, i) => {
        const kind = kinds[i], in_subset = kind === "canonical" || kind === "respelled"
        seen[kind] = (seen[kind] ?? 0) + 1
        if ((ours[i] === "y") !== (kind === "canonical")) wrong(i, `we say ${ours[i]}`)
        if (again[i] !== (in_subset ? canonicalize(JSON.parse(t)) : "-")) wrong(i, "written anew it is another")
    })
    console.log(JSON.stringify(seen))
}
mode === "make" ? make() : judge()
