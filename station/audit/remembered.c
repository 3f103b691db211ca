/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/remembered.h"

static size_t only_signed(const struct remembered *r, size_t at)
{
    return at < r->n && r->head[at].is_signed ? at : r->n;
}

size_t remembered_choose(const struct remembered *r, uint64_t size, const struct tree_hash *root, uint64_t *lost)
{
    *lost = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct remembered_head *h = &r->head[i];
        if (h->before_size == h->size || h->before_size != size || !tree_hash_same(&h->before_root, root))
            continue;
        *lost = r->head[0].size - size;
        return only_signed(r, i + 1);
    }
    return only_signed(r, 0);
}

enum fl_err remembered_note(const struct remembered *r, size_t at, struct fl_buf *out, struct fl_why *why)
{
    struct vkey by;
    const struct remembered_head *h = &r->head[at];
    enum fl_err err = vkey_make(r->origin, KEY_NOTE, h->public, &by, why);
    if (err)
        return err;
    checkpoint_note(out, &by, r->origin, h->size, &h->root, h->signature);
    return fl_buf_err(out, why);
}
