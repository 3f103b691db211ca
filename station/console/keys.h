/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.h: what is typed: a person's keys, or the burst of a barcode scanner that types like a keyboard. Pure.
 *
 *   one of KEYS_LETTERS ── nothing behind it for KEYS_QUICK_MS ─► a key
 *        ├─ another character within that time: a code
 *        └─ given as a key; one that is no key within KEYS_HAND_MS: the key is taken back, it began a code
 *   any other character: no key here has it, so it begins a code, however slow
 *   a code ── Enter or Tab ─► the code
 *        ├─ no end for KEYS_HALF_MS, or longer than KEYS_CODE_MAX up to its end ─► refused
 *        └─ only one and the same character: a key that is held down ─► that key, as often
 *   Enter ── nothing before it ─► a key; as soon after a code as its characters came, or within KEYS_QUICK_MS: the other
 *            half of its CR LF, nothing
 *
 * Scanners type a character every 5 to 50 ms; set to be slow, or over a slow line, every 100 to 300: as slow as many a
 * person types. So a time alone tells only the fastest from people; beyond that it is what was typed. What is lost of a
 * person's typing is said. A code of KEYS_LETTERS alone has to come fast: nothing tells it from keys.
 *
 * Thread rule: one owner.
 */
#ifndef FL_CONSOLE_KEYS_H
#define FL_CONSOLE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYS_CODE_MAX = 63, KEYS_QUICK_MS = 100, KEYS_HAND_MS = 300, KEYS_HALF_MS = 500 };
#define KEYS_LETTERS "hjklar" /* what has a meaning by itself */
#define KEYS_ASKS 'r'         /* of these: opens a question, which nobody begins to answer within KEYS_HAND_MS */

struct keys { /* zeroed: nothing typed */
    char code[KEYS_CODE_MAX + 1], given[KEYS_CODE_MAX + 1]; /* keys that were given, no longer than KEYS_HAND_MS apart */
    size_t n, n_given;
    bool too_long, after_code;
    uint64_t last_ms, slowest_ms; /* the longest time between two characters of this code */
};

enum keys_is {
    KEYS_NOTHING, /* yet */
    KEYS_KEY,     /* text: the character, as often as it was pressed; "\n" Enter */
    KEYS_BACK,    /* text: keys that were given and are the beginning of a code: undo them */
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
