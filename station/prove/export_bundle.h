/* SPDX-License-Identifier: Apache-2.0
 *
 * export_bundle.h: a station's whole log as a folder that needs neither this program nor SQLite to be checked. audit/bundle.h lists
 * its files.
 *
 * Reads only; a station may be at work in the folder. It is made as DIR.part and gets its name when all of it is on disk: after
 * a crash there is no bundle, or a whole one; a DIR.part that one left is removed by the next export to DIR. While it is made
 * the file DIR.making is locked: a second export to DIR at once is FL_BUSY.
 * Thread rule: one call, one thread.
 */
#ifndef FL_PROVE_EXPORT_BUNDLE_H
#define FL_PROVE_EXPORT_BUNDLE_H

#include "base/err.h"

#include <stdint.h>

struct export_done {
    uint64_t records, tiles, heads, witnesses, anchors;
};

/* `dir` must not be there, or be empty: FL_EXISTS. FL_NOT_FOUND: no station in `data`. */
FL_MUST enum fl_err export_bundle(const char *data, const char *dir, struct export_done *out, struct fl_why *why);

#endif
