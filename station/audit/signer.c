/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/signer.h"

#include <stdlib.h>
#include <string.h>

struct signer {
    const struct key *key;
    struct fl_hash *hasher;
    struct checkpoint last;
};

static void in_process_close(struct signer *s)
{
    if (s)
        fl_hash_free(s->hasher);
    free(s);
}

static enum fl_err in_process_open(const void *config, const struct checkpoint *last, struct fl_buf *redo,
                                   struct signer **out, struct fl_why *why)
{
    struct signer *s = calloc(1, sizeof *s);
    *out = NULL;
    fl_buf_clear(redo);
    if (!s || fl_hash_new(FL_HASH_SHA256, &s->hasher)) {
        free(s);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    s->key = config;
    s->last = *last;
    *out = s;
    return FL_OK;
}

enum fl_err signer_allows(struct fl_hash *h, const struct checkpoint *last, const struct signer_request *r, struct fl_why *why)
{
    static const struct tree_proof none;
    if (strcmp(r->origin, last->origin) != 0)
        return fl_fail(why, FL_MISMATCH, "the signer signs for %s, not for %s", last->origin, r->origin);
    if (r->old_size != last->size || !tree_hash_same(&r->old_root, &last->root))
        return fl_fail(why, FL_MISMATCH, "the signer signed a head of %llu leaves last; growth from %llu is not its log",
                       (unsigned long long)last->size, (unsigned long long)r->old_size);
    enum fl_err err = tree_check_growth(h, r->old_size, &r->old_root, r->new_size, &r->new_root,
                                        r->old_size ? r->growth : &none);
    return err ? fl_fail(why, err, "%s", err == FL_MISMATCH ? "the new tree does not continue the one signed last"
                                                            : fl_err_text(err))
               : FL_OK;
}

static enum fl_err in_process_sign(struct signer *s, const struct signer_request *r,
                                   uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    char text[CHECKPOINT_TEXT_MAX];
    if (r->handover)
        return fl_fail(why, FL_STATE, "this signer holds no next key");
    enum fl_err err = signer_allows(s->hasher, &s->last, r, why);
    if (!err)
        err = key_sign(s->key, text, checkpoint_format(r->origin, r->new_size, &r->new_root, text), out, why);
    if (err)
        return err;
    s->last.size = r->new_size;
    s->last.root = r->new_root;
    return FL_OK;
}

const struct signer_kind signer_in_process = {"in-process", in_process_open, in_process_sign,
                                              in_process_close, false, NULL, NULL};
