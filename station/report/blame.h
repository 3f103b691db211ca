/* SPDX-License-Identifier: Apache-2.0
 *
 * blame.h: who is guilty? First attempts, counted by where, when and what, are searched for the slot, kind of bridge, lot,
 * image or hour that fails more often than the rest, and for units that fail wherever they are put.
 *
 * How:
 *   1. Every level of every factor (each slot, each lot, each hour, ...) is held against all other units by Fisher's exact
 *      test: does it fail more often at the first attempt than chance gives? That is one look. A factor with one level
 *      gives none.
 *   2. The smallest p is multiplied by the number of looks (Holm's first step). At or below `alpha` it is a finding: the
 *      chance that a report over a line without any difference finds something is at most alpha.
 *   3. The finding's units are taken out and the search goes on in the rest (against the same number of looks), so that a
 *      slot is not blamed for the bad lot that ran in it. Levels that looked guilty before and no longer do are explained.
 *   4. Levels that hold nearly the same units as the finding are named with it: the records cannot tell them apart.
 *   5. In what is left, second attempts of failed units in another slot are held against first attempts: do failures go
 *      along with the unit? Where a slot, bridge or hour is guilty, second attempts may have met it: then they are held
 *      against what first attempts in all other slots give, the guilty one among them.
 * The exact test is conservative and so is the correction: the real false-alarm rate lies below alpha.
 *
 * Pure: no database. Thread rule: one owner.
 */
#ifndef FL_REPORT_BLAME_H
#define FL_REPORT_BLAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum blame_factor { BLAME_SLOT, BLAME_BRIDGE, BLAME_LOT, BLAME_IMAGE, BLAME_HOUR, BLAME_UNIT };
enum { BLAME_LEVELS = BLAME_UNIT /* factors that have levels */, BLAME_FOUND_MAX = 8, BLAME_TOGETHER_MAX = 4 };
#define BLAME_ALPHA 0.05

/* Units whose first attempt was at the same place and time with the same things. */
struct blame_cell {
    int64_t key[BLAME_LEVELS]; /* at BLAME_IMAGE: the profile, which stands for its images */
    int64_t units, failed;     /* first attempts; of them not PASS */
    int64_t again, again_failed; /* second attempts of the failed ones in another slot; of them not PASS */
};
struct blame_image {
    int64_t profile, image;
};
struct blame_input {
    const struct blame_cell *cells;
    size_t n;
    const struct blame_image *images; /* of the profiles, in any order */
    size_t n_images;
    double alpha;
};

struct blame_level {
    enum blame_factor factor;
    int64_t key;
    int64_t units, failed;
};
struct blame_finding {
    struct blame_level level;
    int64_t rest_units, rest_failed; /* what it was held against */
    bool weighed;                    /* units: held against what the slots that second attempts were made in give, guilty ones too */
    double p, adjusted;              /* as tested; after the correction for all looks */
    struct blame_level together[BLAME_TOGETHER_MAX]; /* cannot be told apart from it */
    size_t n_together;
};
struct blame_result {
    struct blame_finding found[BLAME_FOUND_MAX]; /* in the order in which they were found */
    size_t n_found;
    int64_t units, failed;
    size_t looks, looks_of[BLAME_UNIT + 1]; /* all, and by factor */
    size_t explained; /* levels that only looked guilty through a finding */
};

/* FL_NOMEM is all that can go wrong. */
FL_MUST enum fl_err blame_run(const struct blame_input *in, struct blame_result *out);

#endif
