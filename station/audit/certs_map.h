/* SPDX-License-Identifier: Apache-2.0
 *
 * certs_map.h: inside certs*.c only: what is known of logs' trees, one hash for one place.
 */
#ifndef FL_AUDIT_CERTS_MAP_H
#define FL_AUDIT_CERTS_MAP_H

#include "audit/tree.h"

struct place {
    uint32_t log, file, head; /* of the first who told */
    uint8_t level;
    bool used;
    uint64_t index;
    struct tree_hash hash;
};

struct places {
    struct place *at;
    size_t n, cap; /* cap is a power of two, or 0 */
};

void places_fini(struct places *p);
/* The place that is known already, or the new one (then *found is false). FL_NOMEM. Pointers live until the next call. */
FL_MUST enum fl_err places_put(struct places *p, const struct place *what, struct place **out, bool *found);
const struct place *places_get(const struct places *p, uint32_t log, unsigned level, uint64_t index);

#endif
