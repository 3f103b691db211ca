/* SPDX-License-Identifier: Apache-2.0
 *
 * embedded.h: files that scripts/embed put into the program at build.
 *
 * A table ends with a row whose name is NULL. Bytes live as long as the program and are followed by
 * one zero byte that `size` does not count, so text files can be used as C strings.
 */
#ifndef FL_BASE_EMBEDDED_H
#define FL_BASE_EMBEDDED_H

#include <stddef.h>

struct fl_embedded {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

extern const struct fl_embedded fl_embedded_db[];    /* db/NNN_*.sql, in order of name */
extern const struct fl_embedded fl_embedded_schema[]; /* the schema they come to (scripts/schema.c): its rows; as one script */
extern const struct fl_embedded fl_embedded_stubs[]; /* esptool-js stub_flasher JSON files, for simulated boards */
extern const struct fl_embedded fl_embedded_bundle[]; /* station/prove/bundle: what goes with an exported log */
extern const struct fl_embedded fl_embedded_web[];   /* station/web/assets, and Chart.js */

/* The row called `name`, or NULL. */
const struct fl_embedded *fl_embedded_find(const struct fl_embedded *table, const char *name);

#endif
