/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.h: how a record is stored when one of its shape was stored before.
 *
 * Records of one kind say mostly the same: names of members, the log, the station, the profile. What two records have in
 * common is kept once, as a shape, and the record is stored as what is its own. Its bytes, which are what is hashed and
 * signed, come back exactly, or not at all.
 *
 *   as it is   {"boot":1,"clock":"free","event":"heartbeat","mono_ms":23147896,...,"time":"2026-11-22T21:31:42.395Z","v":1}
 *   by shape   [3,1795383102395,1,23147896,...]
 *
 *   the array  in canonical JSON: the shape's number; the member `time` as ms since 1970; then each value that the shape
 *              marks with %s, in its order, with the bytes that it has in the record
 *   the shape  the record's text, with marks in it:
 *                %s    the next value
 *                %%    the character %
 *                01    the member `time`, as text
 *                02    the member `job`: the bytes kept beside the record, 16 as a UUID, 32 as hex
 *                03    base64 of the hash kept beside the record in front of this one (`attempt` of a unit_final)
 *              A canonical record has no control characters, so these three bytes are marks wherever they stand.
 *
 * Which members are marked is a table in shape.c, and only a writer's business: a reader follows the marks.
 * Plain SQL does the same: view `record` in db/013_shapes.sql.
 *
 * Thread rule: pure.
 */
#ifndef FL_STORE_SHAPE_H
#define FL_STORE_SHAPE_H

#include "base/buf.h"

#include <stdbool.h>

enum { SHAPE_ROOM = 8192 /* shape_join may want so much more than the record */, SHAPE_TEXT_MAX = 4096, SHAPE_VALUES_MAX = 24, SHAPES_MAX = 16384 };

/* What is kept beside a record. */
struct beside {
    const uint8_t *job; /* 16 or 32 bytes; NULL: none */
    size_t job_n;
    const uint8_t *before; /* hash of the record in front, 32 bytes; NULL: not known */
    const char *job_text;  /* the job as text, where it is known; NULL: made from `job` */
};

/* Take a record apart: its shape's text, and "time,value,..." without number and brackets. Both are emptied first. False:
 * it has no shape, and is stored as it is. */
bool shape_split(const uint8_t *rec, size_t n, const struct beside *b, struct fl_buf *text, struct fl_buf *values);

struct shape; /* opaque: a shape's text, its marks found */
/* FL_FORMAT: no shape's text. Free with free(). */
FL_MUST enum fl_err shape_read(const void *text, size_t n, struct shape **out, struct fl_why *why);
bool shape_needs_before(const struct shape *s);

/* Is this stored by shape? Then its shape's number; 0: malformed. */
bool shape_is(const uint8_t *stored, size_t n);
uint32_t shape_number(const uint8_t *stored, size_t n);
/* And the record again; `out` is emptied first. FL_FORMAT: the two do not fit together. */
FL_MUST enum fl_err shape_join(const struct shape *s, const uint8_t *stored, size_t n, const struct beside *b, struct fl_buf *out,
                               struct fl_why *why);

#endif
