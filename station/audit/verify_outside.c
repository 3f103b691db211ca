/* SPDX-License-Identifier: Apache-2.0
 * Heads that somebody else kept: sorted by size, and each held against the records when the walk is that far. */
#include "audit/verify_run.h"

#include <stdlib.h>

typedef unsigned long long ull;

static int by_size(const void *a, const void *b)
{
    uint64_t x = ((const struct audit_outside_head *)a)->head.size, y = ((const struct audit_outside_head *)b)->head.size;
    return x < y ? -1 : x > y;
}

static void not_a_head(struct audit_run *r, size_t at, enum fl_err err, const struct fl_why *w)
{
    audit_add_beside(r->out, err == FL_NOT_FOUND ? AUDIT_KEY : AUDIT_SIGNATURE, "%.150s is not a good signed head of this log: %.200s",
              r->cfg->outside[at].name, w->text);
}

/* The size that a note claims, to know when its turn comes. Nothing else of it is believed before its signature is. */
static bool claimed_size(const struct audit_outside *o, struct checkpoint *out)
{
    struct note *note = malloc(sizeof *note);
    bool ok = note && note_parse(o->note, o->n, note, NULL) == FL_OK && checkpoint_parse(note->text, note->text_n, out, NULL) == FL_OK;
    free(note);
    return ok;
}

enum fl_err audit_outside_open(struct audit_run *r, struct fl_why *why)
{
    const struct audit_config *c = r->cfg;
    r->outside = calloc(c->n_outside + 1, sizeof *r->outside);
    if (!r->outside)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n_outside; i++) {
        struct audit_outside_head *h = &r->outside[r->n_outside];
        struct fl_why w = {0, ""};
        c->outside[i].agreed = false;
        enum fl_err err = checkpoint_open(c->outside[i].note, c->outside[i].n, c->keys, c->n_keys, c->keys[0].name, &h->head, &w);
        if (err == FL_NOMEM)
            return fl_fail(why, err, "out of memory");
        h->verified = err == FL_OK;
        /* signed by none of those given: perhaps by another key of this log, which is not known yet */
        if (err && !(err == FL_NOT_FOUND && claimed_size(&c->outside[i], &h->head))) {
            not_a_head(r, i, err, &w);
            continue;
        }
        h->at = i;
        r->n_outside++;
    }
    qsort(r->outside, r->n_outside, sizeof *r->outside, by_size);
    return FL_OK;
}

/* By the keys of its time, which are known now. */
static bool outside_signed(struct audit_run *r, struct audit_outside_head *h)
{
    const struct audit_outside *o = &r->cfg->outside[h->at];
    struct fl_why w = {0, ""};
    enum fl_err err = h->verified ? FL_OK : audit_keys_note(r, o->note, o->n, h->head.size, &h->head, &w);
    if (err)
        not_a_head(r, h->at, err, &w);
    h->verified = !err;
    return h->verified;
}

/* Those of the present count, and those that a gap in the records went past: they are signed well or not, and say nothing more,
 * for the tree is not whole then. */
enum fl_err audit_outside_due(struct audit_run *r)
{
    while (r->next_outside < r->n_outside && r->outside[r->next_outside].head.size <= r->count) {
        struct audit_outside_head *h = &r->outside[r->next_outside++];
        const struct checkpoint *c = &h->head;
        struct audit_outside *o = &r->cfg->outside[h->at];
        struct tree_hash root;
        enum fl_err err = tree_range_root(r->hasher, &r->range, &root);
        if (err)
            return err;
        r->out->outside++;
        if (!outside_signed(r, h) || !r->tree_ok)
            continue;
        if (tree_hash_same(&root, &c->root)) {
            r->out->outside_size = c->size;
            o->agreed = true;
            o->size = c->size;
            if (r->out->n_log_findings == 0)
                r->agreed = (struct audit_good){c->size, c->root};
            if (o->stamped_ms)
                audit_stamped(r, o);
            continue;
        }
        r->forked = true;
        char ours[2 * FL_SHA256_SIZE + 1], theirs[2 * FL_SHA256_SIZE + 1];
        fl_hex(root.b, sizeof root.b, ours);
        fl_hex(c->root.b, sizeof c->root.b, theirs);
        audit_add(r->out, AUDIT_FORK, r->out->outside_size, c->size ? c->size - 1 : 0,
                  "%.120s holds a signed head of %llu records with the root %s; here they give %s", o->name, (ull)c->size, theirs, ours);
        audit_retreat(r, r->out->outside_size);
    }
    return FL_OK;
}

void audit_outside_ahead(struct audit_run *r)
{
    const struct audit_outside_head *newest = NULL;
    for (; r->next_outside < r->n_outside; r->next_outside++) {
        struct audit_outside_head *h = &r->outside[r->next_outside];
        r->out->outside++;
        if (outside_signed(r, h))
            newest = h;
    }
    if (!newest)
        return;
    const struct checkpoint *c = &newest->head;
    audit_add(r->out, AUDIT_ROLLBACK, r->count, c->size - 1,
              "%.150s holds a signed head of %llu records; here are only %llu: the last %llu were cut off, or an older copy was put back",
              r->cfg->outside[newest->at].name, (ull)c->size, (ull)r->count, (ull)(c->size - r->count));
}
