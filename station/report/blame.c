/* SPDX-License-Identifier: Apache-2.0 */
#include "report/blame.h"

#include "report/stat.h"

#include <stdlib.h>
#include <string.h>

/* Two levels that share so much of the units of either are one for the records. */
static const double same_share = 0.95;

/* Levels by factor and key: open addressing, a power of two, never more than half full. */
struct levels {
    struct blame_level *at; /* units -1: free */
    size_t cap, n;
};

struct search {
    const struct blame_input *in;
    bool *gone;            /* of cells: taken out with a finding */
    bool *carried;         /* of cells: taken out with a lot or an image, which units take along to their next attempt */
    bool place_found;      /* a slot, bridge or hour is guilty: units meet it at their next attempt too */
    struct levels all;     /* of what is left */
    struct levels overlap; /* of a finding's cells */
    int64_t units, failed; /* of what is left */
};

static size_t place(const struct levels *l, enum blame_factor factor, int64_t key)
{
    uint64_t h = ((uint64_t)key * 8 + (uint64_t)factor) * UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing */
    size_t i = (size_t)(h >> 20) & (l->cap - 1);
    while (l->at[i].units >= 0 && (l->at[i].factor != factor || l->at[i].key != key))
        i = (i + 1) & (l->cap - 1);
    return i;
}

static bool levels_size(struct levels *l, size_t cap)
{
    struct levels old = *l;
    l->at = malloc(cap * sizeof *l->at);
    if (!l->at) {
        *l = old;
        return false;
    }
    l->cap = cap;
    for (size_t i = 0; i < cap; i++)
        l->at[i].units = -1;
    for (size_t i = 0; i < old.cap; i++)
        if (old.at[i].units >= 0)
            l->at[place(l, old.at[i].factor, old.at[i].key)] = old.at[i];
    free(old.at);
    return true;
}

static bool levels_empty(struct levels *l)
{
    for (size_t i = 0; i < l->cap; i++)
        l->at[i].units = -1;
    l->n = 0;
    return l->cap || levels_size(l, 256);
}

static bool levels_add(struct levels *l, enum blame_factor factor, int64_t key, const struct blame_cell *c)
{
    if (2 * l->n >= l->cap && !levels_size(l, 2 * l->cap))
        return false;
    struct blame_level *at = &l->at[place(l, factor, key)];
    if (at->units < 0) {
        *at = (struct blame_level){factor, key, 0, 0};
        l->n++;
    }
    at->units += c->units;
    at->failed += c->failed;
    return true;
}

static bool add_cell(const struct search *s, struct levels *l, const struct blame_cell *c)
{
    bool ok = true;
    for (int f = 0; f < BLAME_LEVELS && ok; f++) {
        if (f != BLAME_IMAGE) {
            ok = levels_add(l, (enum blame_factor)f, c->key[f], c);
            continue;
        }
        for (size_t i = 0; i < s->in->n_images && ok; i++)
            if (s->in->images[i].profile == c->key[f])
                ok = levels_add(l, BLAME_IMAGE, s->in->images[i].image, c);
    }
    return ok;
}

static bool cell_has(const struct search *s, const struct blame_cell *c, const struct blame_level *l)
{
    if (l->factor != BLAME_IMAGE)
        return c->key[l->factor] == l->key;
    for (size_t i = 0; i < s->in->n_images; i++)
        if (s->in->images[i].profile == c->key[BLAME_IMAGE] && s->in->images[i].image == l->key)
            return true;
    return false;
}

static bool count(struct search *s)
{
    bool ok = levels_empty(&s->all);
    s->units = s->failed = 0;
    for (size_t i = 0; i < s->in->n && ok; i++) {
        const struct blame_cell *c = &s->in->cells[i];
        if (s->gone[i] || c->units == 0)
            continue;
        s->units += c->units;
        s->failed += c->failed;
        ok = add_cell(s, &s->all, c);
    }
    return ok;
}

/* Is there anything to hold it against? A level that is all units is no look. */
static bool is_look(const struct search *s, const struct blame_level *l)
{
    return l->units > 0 && l->units < s->units;
}

static double level_p(const struct search *s, const struct blame_level *l)
{
    return stat_fisher_more(l->failed, l->units, s->failed - l->failed, s->units - l->units);
}

/* Of equally improbable levels the one named first in the list of factors, then the one with the smaller key: the same
 * records always give the same answer. */
static bool better(double p, const struct blame_level *a, double best, const struct blame_level *b)
{
    if (p < best || p > best)
        return p < best;
    return a->factor != b->factor ? a->factor < b->factor : a->key < b->key;
}

static const struct blame_level *most_guilty(const struct search *s, double *best)
{
    const struct blame_level *worst = NULL;
    for (size_t i = 0; i < s->all.cap; i++) {
        const struct blame_level *l = &s->all.at[i];
        if (!is_look(s, l) || l->failed * (s->units - l->units) <= (s->failed - l->failed) * l->units)
            continue; /* not worse than the rest: no need to work it out */
        double p = level_p(s, l);
        if (!worst || better(p, l, *best, worst)) {
            worst = l;
            *best = p;
        }
    }
    return worst;
}

/* How many levels would be called guilty if they were looked at alone? */
static size_t guilty_now(const struct search *s, size_t looks)
{
    size_t n = 0;
    for (size_t i = 0; i < s->all.cap; i++)
        n += is_look(s, &s->all.at[i]) && level_p(s, &s->all.at[i]) * (double)looks <= s->in->alpha;
    return n;
}

/* Take the finding's cells out, and see which levels hold the same units. */
static bool take_out(struct search *s, struct blame_finding *f)
{
    bool ok = levels_empty(&s->overlap), along = f->level.factor == BLAME_LOT || f->level.factor == BLAME_IMAGE;
    s->place_found |= !along;
    for (size_t i = 0; i < s->in->n && ok; i++) {
        const struct blame_cell *c = &s->in->cells[i];
        if (s->gone[i] || c->units == 0 || !cell_has(s, c, &f->level))
            continue;
        s->gone[i] = true;
        s->carried[i] = along;
        ok = add_cell(s, &s->overlap, c);
    }
    for (int factor = 0; factor < BLAME_LEVELS && ok; factor++)
        for (size_t i = 0; i < s->overlap.cap; i++) {
            const struct blame_level *both = &s->overlap.at[i];
            if (both->units < 0 || both->factor != (enum blame_factor)factor ||
                (both->factor == f->level.factor && both->key == f->level.key))
                continue;
            const struct blame_level *whole = &s->all.at[place(&s->all, both->factor, both->key)];
            if (is_look(s, whole) && f->n_together < BLAME_TOGETHER_MAX &&
                (double)both->units >= same_share * (double)(f->level.units + whole->units - both->units))
                f->together[f->n_together++] = *whole;
        }
    return ok;
}

static double corrected(double p, size_t looks)
{
    return p * (double)looks < 1 ? p * (double)looks : 1;
}

/* What second attempts are held against where a place was found guilty. They are made in other slots, the guilty one among
 * them, so that a unit which failed by chance elsewhere may fail again in it: not because of the unit. Each counts as the
 * share of first attempts that fail in all other slots, what was found with slot, bridge and hour still in. */
static bool expected_again(struct search *s, struct blame_finding *f)
{
    int64_t units = 0, failed = 0;
    double share = 0, weight = 0;
    bool ok = levels_empty(&s->overlap);
    for (size_t i = 0; i < s->in->n && ok; i++) {
        const struct blame_cell *c = &s->in->cells[i];
        if (s->carried[i])
            continue;
        units += c->units;
        failed += c->failed;
        ok = levels_add(&s->overlap, BLAME_SLOT, c->key[BLAME_SLOT], c);
    }
    for (size_t i = 0; i < s->in->n && ok; i++) {
        const struct blame_cell *c = &s->in->cells[i];
        if (s->gone[i] || !c->again)
            continue;
        const struct blame_level *own = &s->overlap.at[place(&s->overlap, BLAME_SLOT, c->key[BLAME_SLOT])];
        int64_t others = units - own->units;
        share += (double)c->again * (others ? (double)(failed - own->failed) / (double)others : 1);
        weight += (double)c->again;
    }
    f->rest_units = units;
    f->rest_failed = weight > 0 ? (int64_t)(share / weight * (double)units + 0.5) : failed;
    return ok;
}

/* Do failures go along with the unit? Without what was found: a bad lot's units fail twice because of the lot. */
static bool look_at_units(struct search *s, struct blame_result *out)
{
    struct blame_finding f = {.level = {.factor = BLAME_UNIT}, .rest_units = s->units, .rest_failed = s->failed,
                              .weighed = s->place_found};
    for (size_t i = 0; i < s->in->n; i++)
        if (!s->gone[i]) {
            f.level.units += s->in->cells[i].again;
            f.level.failed += s->in->cells[i].again_failed;
        }
    if (f.weighed && !expected_again(s, &f))
        return false;
    f.p = stat_fisher_more(f.level.failed, f.level.units, f.rest_failed, f.rest_units);
    f.adjusted = corrected(f.p, out->looks);
    if (f.level.units && f.p * (double)out->looks <= s->in->alpha && out->n_found < BLAME_FOUND_MAX)
        out->found[out->n_found++] = f;
    return true;
}

static void count_looks(const struct search *s, struct blame_result *out)
{
    for (size_t i = 0; i < s->all.cap; i++)
        if (is_look(s, &s->all.at[i]))
            out->looks_of[s->all.at[i].factor]++;
    for (size_t i = 0; i < s->in->n && !out->looks_of[BLAME_UNIT]; i++)
        out->looks_of[BLAME_UNIT] = s->in->cells[i].again > 0;
    for (int f = 0; f <= BLAME_UNIT; f++)
        out->looks += out->looks_of[f];
}

enum fl_err blame_run(const struct blame_input *in, struct blame_result *out)
{
    struct search s = {.in = in, .gone = calloc(in->n ? in->n : 1, sizeof *s.gone), .carried = calloc(in->n ? in->n : 1, sizeof *s.carried)};
    size_t before = 0;
    memset(out, 0, sizeof *out);
    bool ok = s.gone && s.carried && count(&s);
    if (ok) {
        out->units = s.units;
        out->failed = s.failed;
        count_looks(&s, out);
        before = out->looks ? guilty_now(&s, out->looks) : 0;
    }
    while (ok && before && out->n_found < BLAME_FOUND_MAX - 1) {
        double p = 1;
        const struct blame_level *l = most_guilty(&s, &p);
        if (!l || p * (double)out->looks > in->alpha)
            break;
        struct blame_finding *f = &out->found[out->n_found++];
        *f = (struct blame_finding){.level = *l, .rest_units = s.units - l->units, .rest_failed = s.failed - l->failed, .p = p,
                                    .adjusted = corrected(p, out->looks)};
        ok = take_out(&s, f) && count(&s);
    }
    if (ok) {
        size_t named = out->n_found;
        for (size_t i = 0; i < out->n_found; i++)
            named += out->found[i].n_together;
        out->explained = before > named ? before - named : 0;
        ok = look_at_units(&s, out);
    }
    free(s.gone);
    free(s.carried);
    free(s.all.at);
    free(s.overlap.at);
    return ok ? FL_OK : FL_NOMEM;
}
