/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/certs_map.h"

#include <stdlib.h>

void places_fini(struct places *p)
{
    free(p->at);
    *p = (struct places){NULL, 0, 0};
}

/* Mixes all bits (the finaliser of MurmurHash3): indexes come in runs. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}

static size_t slot_of(const struct places *p, uint32_t log, unsigned level, uint64_t index)
{
    size_t i = (size_t)mix(index ^ mix((uint64_t)log << 8 | level)) & (p->cap - 1);
    while (p->at[i].used && (p->at[i].index != index || p->at[i].level != level || p->at[i].log != log))
        i = (i + 1) & (p->cap - 1);
    return i;
}

static enum fl_err grow(struct places *p)
{
    struct places bigger = {NULL, p->n, p->cap ? 2 * p->cap : 1024};
    bigger.at = calloc(bigger.cap, sizeof *bigger.at);
    if (!bigger.at)
        return FL_NOMEM;
    for (size_t i = 0; i < p->cap; i++)
        if (p->at[i].used)
            bigger.at[slot_of(&bigger, p->at[i].log, p->at[i].level, p->at[i].index)] = p->at[i];
    free(p->at);
    *p = bigger;
    return FL_OK;
}

enum fl_err places_put(struct places *p, const struct place *what, struct place **out, bool *found)
{
    enum fl_err err = p->n >= p->cap / 2 ? grow(p) : FL_OK;
    if (err)
        return err;
    size_t i = slot_of(p, what->log, what->level, what->index);
    *found = p->at[i].used;
    if (!*found) {
        p->at[i] = *what;
        p->at[i].used = true;
        p->n++;
    }
    *out = &p->at[i];
    return FL_OK;
}

const struct place *places_get(const struct places *p, uint32_t log, unsigned level, uint64_t index)
{
    if (!p->cap)
        return NULL;
    size_t i = slot_of(p, log, level, index);
    return p->at[i].used ? &p->at[i] : NULL;
}
