/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.h: what is typed: a person's keys, or the burst of a barcode scanner that types like a keyboard. Pure.
 *
 *   a character ── nothing behind it for KEYS_QUICK_MS ─► a key
 *        └─ another within that time: a code ── Enter or Tab ─► the code
 *                ├─ no end for KEYS_HALF_MS, or longer than KEYS_CODE_MAX up to its end ─► refused
 *                └─ only one and the same character: a key that is held down ─► that key, as often
 *   Enter ── nothing before it ─► a key; within KEYS_QUICK_MS after a code: the other half of its CR LF, nothing
 *
 * A scanner types a character every few milliseconds, a person none twice within a tenth of a second: no code is taken
 * for keys, and what is lost of a person's typing is said.
 *
 * Thread rule: one owner.
 */
#ifndef FL_CONSOLE_KEYS_H
#define FL_CONSOLE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYS_CODE_MAX = 63, KEYS_QUICK_MS = 100, KEYS_HALF_MS = 500 };

struct keys { /* zeroed: nothing typed */
    char code[KEYS_CODE_MAX + 1];
    size_t n;
    bool too_long, after_code;
    uint64_t last_ms;
};

enum keys_is {
    KEYS_NOTHING, /* yet */
    KEYS_KEY,     /* text: the character, as often as it was pressed; "\n" Enter */
    KEYS_CODE,    /* text: the code */
    KEYS_HALF,    /* text: what there was of one */
    KEYS_TOO_LONG,
};

/* One character that came at `now_ms` (monotonic); what waited is asked for with keys_waited before. */
enum keys_is keys_typed(struct keys *k, char c, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1]);
/* Nothing came until `now_ms`. */
enum keys_is keys_waited(struct keys *k, uint64_t now_ms, char text[static KEYS_CODE_MAX + 1]);
/* When keys_waited has something to say; UINT64_MAX: never. */
uint64_t keys_due_ms(const struct keys *k);

#endif
