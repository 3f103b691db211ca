/* SPDX-License-Identifier: Apache-2.0
 *
 * tiles.h: a log as files of 256 hashes each (C2SP tlog-tiles v0.1.0), made while its records go by.
 *
 *   tile/<L>/<N>        32 bytes each of the 256 subtrees of 256^L leaves: MTH(D[(256 N + i) 256^L : (256 N + i + 1) 256^L])
 *   tile/<L>/<N>.p/<W>  the same, unfinished: W of them, 1 to 255
 *   tile/entries/<N>, tile/entries/<N>.p/<W>   the leaves under tile/0/<N>: each two bytes big endian of length, and its bytes
 *
 * N in groups of three digits, all but the last with an x in front: 1234067 is x001/x234/067. Empty tiles are none.
 *
 * The same walk writes a bundle's tiles and compares those of a bundle: what is done with a tile is the sink's.
 * Memory: a few tiles and one file of leaves (at most 256 of 65,537 bytes). Thread rule: one owner.
 */
#ifndef FL_AUDIT_TILES_H
#define FL_AUDIT_TILES_H

#include "audit/tree.h"
#include "base/buf.h"

enum { TILE_HASHES = 256, TILE_PATH_MAX = 80 };

struct tiles; /* opaque */

struct tiles_sink {
    void *ctx;
    FL_MUST enum fl_err (*tile)(void *ctx, const char *path, const uint8_t *bytes, size_t n, struct fl_why *why);
};

FL_MUST enum fl_err tiles_new(const struct tiles_sink *sink, struct tiles **out, struct fl_why *why);
void tiles_free(struct tiles *t); /* NULL is fine */
/* The next leaf: its hash and bytes. */
FL_MUST enum fl_err tiles_add(struct tiles *t, const struct tree_hash *hash, const uint8_t *rec, size_t n, struct fl_why *why);
/* The unfinished ones. Nothing may be added after. */
FL_MUST enum fl_err tiles_end(struct tiles *t, struct fl_why *why);

/* "tile/0/x001/234.p/7"; level -1: entries; width 0: a full one. */
void tiles_path(int level, uint64_t n, unsigned width, char out[static TILE_PATH_MAX]);

#endif
