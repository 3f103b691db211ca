/* SPDX-License-Identifier: Apache-2.0
 * fuzz.h: what a fuzz target is: one function that takes any bytes and ends the program when something that must
 * hold does not. libFuzzer calls it (make fuzz), or replay.c with the kept corpus (make check). */
#ifndef FL_TESTS_FUZZ_H
#define FL_TESTS_FUZZ_H

#include "base/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define FUZZ_HOLDS(what)                                                                           \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The bytes in memory of their very size, so that a byte too far is one outside. free() it. */
static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    FUZZ_HOLDS(copy);
    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

/* The same with a closing zero. A zero inside ends the text sooner. */
static inline char *fuzz_text(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    FUZZ_HOLDS(text);
    if (n)
        memcpy(text, bytes, n);
    text[n] = 0;
    return text;
}

/* Nothing that steers a terminal or begins a new line: no control character of ASCII or of C1, and UTF-8 throughout. `lines`:
 * newlines and tabs may be there. */
static inline bool fuzz_for_eyes(const char *text, size_t n, bool lines)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < n; i++) {
        bool fine = lines && (p[i] == '\n' || p[i] == '\t');
        if ((p[i] < 0x20 && !fine) || p[i] == 0x7f || (p[i] == 0xC2 && i + 1 < n && p[i + 1] < 0xA0))
            return false;
    }
    return fl_utf8_ok(p, n);
}

#endif
