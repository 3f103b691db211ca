/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/tiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 8 }; /* 256^8 is more than there can be */

struct tiles {
    struct tiles_sink sink;
    struct fl_hash *hasher;
    struct {
        struct tree_hash hash[TILE_HASHES];
        unsigned n;
        uint64_t full; /* tiles of this level that are done */
    } level[LEVELS];
    struct fl_buf entries;
};

void tiles_path(int level, uint64_t n, unsigned width, char out[static TILE_PATH_MAX])
{
    char groups[40] = "", all[40], tail[10] = "";
    (void)snprintf(groups, sizeof groups, "%03u", (unsigned)(n % 1000));
    for (n /= 1000; n; n /= 1000) {
        (void)snprintf(all, sizeof all, "x%03u/%.30s", (unsigned)(n % 1000), groups);
        memcpy(groups, all, sizeof groups);
    }
    if (width)
        (void)snprintf(tail, sizeof tail, ".p/%u", width % TILE_HASHES);
    if (level < 0)
        (void)snprintf(out, TILE_PATH_MAX, "tile/entries/%s%s", groups, tail);
    else
        (void)snprintf(out, TILE_PATH_MAX, "tile/%d/%s%s", level, groups, tail);
}

enum fl_err tiles_new(const struct tiles_sink *sink, struct tiles **out, struct fl_why *why)
{
    struct tiles *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t || fl_hash_new(FL_HASH_SHA256, &t->hasher)) {
        free(t);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    t->sink = *sink;
    t->entries = FL_BUF((size_t)TILE_HASHES * (65535 + 2));
    *out = t;
    return FL_OK;
}

void tiles_free(struct tiles *t)
{
    if (!t)
        return;
    fl_hash_free(t->hasher);
    fl_buf_fini(&t->entries);
    free(t);
}

static enum fl_err give(struct tiles *t, int level, uint64_t n, unsigned width, const void *bytes, size_t len, struct fl_why *why)
{
    char path[TILE_PATH_MAX];
    tiles_path(level, n, width, path);
    return t->sink.tile(t->sink.ctx, path, bytes, len, why);
}

/* The root over the 256 hashes of a full tile: one hash of the level above. */
static enum fl_err fold(struct tiles *t, size_t level, struct tree_hash *out)
{
    struct tree_hash h[TILE_HASHES];
    enum fl_err err = FL_OK;
    memcpy(h, t->level[level].hash, sizeof h);
    for (unsigned n = TILE_HASHES; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2 && !err; i++)
            err = tree_node(t->hasher, &h[2 * i], &h[2 * i + 1], &h[i]);
    *out = h[0];
    return err;
}

static enum fl_err flush_entries(struct tiles *t, uint64_t n, unsigned width, struct fl_why *why)
{
    enum fl_err err = fl_buf_err(&t->entries, why);
    if (!err)
        err = give(t, -1, n, width, t->entries.bytes, t->entries.len, why);
    fl_buf_clear(&t->entries);
    return err;
}

enum fl_err tiles_add(struct tiles *t, const struct tree_hash *hash, const uint8_t *rec, size_t n, struct fl_why *why)
{
    struct tree_hash up = *hash;
    enum fl_err err = FL_OK;
    fl_buf_addc(&t->entries, (char)(n >> 8));
    fl_buf_addc(&t->entries, (char)n);
    fl_buf_add(&t->entries, rec, n);
    for (size_t l = 0; l < LEVELS && !err; l++) {
        t->level[l].hash[t->level[l].n++] = up;
        if (t->level[l].n < TILE_HASHES)
            break;
        if (l == 0)
            err = flush_entries(t, t->level[0].full, 0, why);
        if (!err)
            err = give(t, (int)l, t->level[l].full, 0, t->level[l].hash[0].b, sizeof t->level[l].hash, why);
        if (!err && fold(t, l, &up))
            err = fl_fail(why, FL_NOMEM, "out of memory");
        t->level[l].n = 0;
        t->level[l].full++;
    }
    return err;
}

enum fl_err tiles_end(struct tiles *t, struct fl_why *why)
{
    enum fl_err err = t->level[0].n ? flush_entries(t, t->level[0].full, t->level[0].n, why) : FL_OK;
    for (size_t l = 0; l < LEVELS && !err; l++)
        if (t->level[l].n)
            err = give(t, (int)l, t->level[l].full, t->level[l].n, t->level[l].hash[0].b, t->level[l].n * FL_SHA256_SIZE, why);
    return err;
}
