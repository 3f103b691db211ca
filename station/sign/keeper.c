/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keeper.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

struct keeper {
    struct seal key, next; /* next.sign NULL: none */
    struct memory memory;
    struct fl_hash *hasher;
    bool adopt, open, set_clock;
    int64_t (*wall_ms)(void *ctx);
    void *ctx;
};

static int64_t wall(const struct keeper *k)
{
    return k->wall_ms ? k->wall_ms(k->ctx) : fl_wall_ms();
}

static bool same_head(const struct checkpoint *a, const struct checkpoint *b)
{
    return a->size == b->size && tree_hash_same(&a->root, &b->root);
}

/* After a hand-over the next key is the one that signs, wherever its file still lies. */
static enum fl_err settle_keys(struct keeper *k, struct fl_why *why)
{
    const struct memory_state *m = memory_state(&k->memory);
    if (!m->turn || memcmp(m->public, k->key.public, KEY_PUBLIC) == 0)
        return FL_OK;
    if (!k->next.sign || memcmp(m->public, k->next.public, KEY_PUBLIC) != 0)
        return fl_fail(why, FL_MISMATCH, "the key is not the one that this signer's memory names: it signed for %.120s with another",
                       m->last.origin);
    seal_close(&k->key);
    k->key = k->next;
    k->next = (struct seal){.ctx = NULL};
    return FL_OK;
}

enum fl_err keeper_new(const struct keeper_config *c, struct keeper **out, struct fl_why *why)
{
    struct keeper *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k)
        return fl_fail(why, FL_NOMEM, "out of memory");
    k->adopt = c->adopt;
    k->set_clock = c->set_clock;
    k->wall_ms = c->wall_ms;
    k->ctx = c->ctx;
    enum fl_err err = fl_hash_new(FL_HASH_SHA256, &k->hasher);
    if (!err)
        err = memory_open(c->memory, &k->memory, why);
    if (!err) {
        k->key = *c->key;
        *c->key = (struct seal){.ctx = NULL};
        if (c->next) {
            k->next = *c->next;
            *c->next = (struct seal){.ctx = NULL};
        }
        err = settle_keys(k, why);
    }
    if (err)
        keeper_free(k);
    else
        *out = k;
    return err;
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    seal_close(&k->key);
    seal_close(&k->next);
    memory_close(&k->memory);
    fl_hash_free(k->hasher);
    free(k);
}

void keeper_public(const struct keeper *k, uint8_t out[static KEY_PUBLIC])
{
    memcpy(out, k->key.public, KEY_PUBLIC);
}

const char *keeper_origin(const struct keeper *k)
{
    return memory_state(&k->memory)->last.origin;
}

void keeper_tell(const struct keeper *k, struct remembered *out)
{
    memory_tell(&k->memory, out);
}

/* ---- opening: the table in keeper.h ---------------------------------------------------------------------- */

static enum fl_err remember_log(struct keeper *k, const struct checkpoint *last, struct fl_why *why)
{
    struct memory_state s = {.wall_ms = wall(k), .before = *last, .last = *last};
    if (last->size && !k->adopt)
        return fl_fail(why, FL_MISMATCH, "the signer remembers no log, and this one has %llu records: its memory was removed, or "
                       "is another station's. If the log is known to be right, flashline key adopt",
                       (ull)last->size);
    memcpy(s.public, k->key.public, KEY_PUBLIC);
    return memory_write(&k->memory, &s, NULL, why);
}

static enum fl_err give_back(const struct memory_kept *kept, const struct checkpoint *d, struct fl_buf *redo, struct fl_why *why)
{
    fl_buf_add(redo, kept->redo.bytes, kept->redo.len);
    return redo->len ? fl_buf_err(redo, why)
                     : fl_fail(why, FL_MISMATCH, "the signer signed a head of %llu records, the log has %llu, and what was between "
                               "them was not kept", (ull)kept->state.last.size, (ull)d->size);
}

static enum fl_err compare_log(struct keeper *k, const struct checkpoint *d, struct fl_buf *redo, struct fl_why *why)
{
    const struct memory_state *m = memory_state(&k->memory);
    if (strcmp(m->last.origin, d->origin) != 0)
        return fl_fail(why, FL_MISMATCH, "the signer signs for the log %.100s, not for %.100s", m->last.origin, d->origin);
    if (same_head(d, &m->last))
        return FL_OK;
    const struct checkpoint *mine = &m->last;
    for (size_t i = 0; i < k->memory.n; i++) {
        const struct memory_kept *kept = &k->memory.kept[i];
        if (kept->state.signatures && same_head(d, &kept->state.before))
            return give_back(kept, d, redo, why);
        if (kept->state.before.size == d->size)
            mine = &kept->state.before;
    }
    char ours[2 * FL_SHA256_SIZE + 1], theirs[2 * FL_SHA256_SIZE + 1];
    fl_hex(mine->root.b, sizeof mine->root.b, ours);
    fl_hex(d->root.b, sizeof d->root.b, theirs);
    if (d->size == mine->size)
        return fl_fail(why, FL_MISMATCH, "FORK: the signer signed a head of %llu records with the root %s, this log has one of that size "
                       "with the root %s", (ull)d->size, ours, theirs);
    if (d->size < m->last.size)
        return fl_fail(why, FL_MISMATCH, "ROLLBACK: the signer signed a head of %llu records with the root %s, this log has %llu, root %s: "
                       "it was cut off, or an older copy was put back", (ull)mine->size, ours, (ull)d->size, theirs);
    return fl_fail(why, FL_MISMATCH, "this log has %llu records, and the signer remembers a head of %llu: its memory was put back. If "
                   "the log is known to be right, flashline key adopt", (ull)d->size, (ull)m->last.size);
}

enum fl_err keeper_open(struct keeper *k, const struct checkpoint *last, struct fl_buf *redo, struct fl_why *why)
{
    const struct memory_state *m = memory_state(&k->memory);
    fl_buf_clear(redo);
    k->open = false;
    bool behind = m->turn && last->size > m->last.size && strcmp(m->last.origin, last->origin) == 0;
    enum fl_err err = !m->turn || (k->adopt && behind) ? remember_log(k, last, why) : compare_log(k, last, redo, why);
    k->open = !err;
    return err;
}

/* ---- signing ---------------------------------------------------------------------------------------------- */

static enum fl_err clock_goes_on(const struct keeper *k, struct fl_why *why)
{
    int64_t back = memory_state(&k->memory)->wall_ms - wall(k);
    if (back <= KEEPER_CLOCK_BACK_MS || k->set_clock)
        return FL_OK;
    return fl_fail(why, FL_MISMATCH, "the clock is %lld s behind the time of the last signature: nothing is signed until it is right. If it is right "
                   "now, and was ahead then, an engineer says so: flashline key clock", (long long)(back / 1000));
}

/* Asked again for one of those that are kept: a crash came before the log had it. */
static bool asked_again(const struct memory_state *m, const struct signer_request *r)
{
    return m->signatures && r->new_size == m->last.size && tree_hash_same(&r->new_root, &m->last.root) &&
           r->old_size == m->before.size && tree_hash_same(&r->old_root, &m->before.root) &&
           strcmp(r->origin, m->last.origin) == 0 && (m->signatures == 2) == (r->handover != NULL);
}

static enum fl_err sign_anew(struct keeper *k, const struct signer_request *r, struct fl_why *why)
{
    const struct memory_state *m = memory_state(&k->memory);
    struct memory_state s = {.wall_ms = wall(k), .before = m->last, .last = m->last, .signatures = r->handover ? 2 : 1};
    char text[CHECKPOINT_TEXT_MAX];
    if (r->handover && !k->next.sign)
        return fl_fail(why, FL_STATE, "the signer was started without the next key, which must sign too");
    if (r->handover && memcmp(k->next.public, r->handover_to, KEY_PUBLIC) != 0)
        return fl_fail(why, FL_MISMATCH, "the signer's next key is not the one to hand over to");
    if (r->new_size == m->last.size)
        return fl_fail(why, FL_MISMATCH, "the signer has signed a head of this size");
    enum fl_err err = clock_goes_on(k, why);
    if (!err)
        err = signer_allows(k->hasher, &m->last, r, why);
    s.last.size = r->new_size;
    s.last.root = r->new_root;
    if (s.wall_ms < m->wall_ms && !k->set_clock)
        s.wall_ms = m->wall_ms; /* within the tolerance: it must not be gone back by again and again */
    size_t n = checkpoint_format(r->origin, r->new_size, &r->new_root, text);
    if (!err)
        err = k->key.sign(k->key.ctx, text, n, s.signature[0], why);
    if (!err && r->handover)
        err = k->next.sign(k->next.ctx, text, n, s.signature[1], why);
    memcpy(s.public, r->handover ? k->next.public : k->key.public, KEY_PUBLIC);
    if (!err) /* durable before it leaves */
        err = memory_write(&k->memory, &s, r->redo, why);
    k->set_clock &= err != FL_OK; /* once */
    return err;
}

enum fl_err keeper_sign(struct keeper *k, const struct signer_request *r, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    size_t i = 0;
    enum fl_err err = FL_OK;
    if (!k->open)
        return fl_fail(why, FL_STATE, "the signer was not told of the log's newest head first");
    while (i < k->memory.n && !asked_again(&k->memory.kept[i].state, r))
        i++;
    if (i == k->memory.n) {
        i = 0;
        err = sign_anew(k, r, why);
    }
    if (!err && r->alone && i == 0)
        err = memory_keep_last(&k->memory, why);
    if (err)
        return err;
    const struct memory_state *m = &k->memory.kept[i].state;
    memcpy(out, m->signature[0], KEY_SIGNATURE);
    if (r->handover)
        memcpy(r->handover, m->signature[1], KEY_SIGNATURE);
    return settle_keys(k, why);
}

enum fl_err keeper_settled(struct keeper *k, struct fl_why *why)
{
    struct memory_state s = *memory_state(&k->memory);
    if (!k->open || s.before.size == s.last.size)
        return FL_OK;
    s.before = s.last;
    return memory_write(&k->memory, &s, NULL, why);
}

/* ---- as a signer in this process --------------------------------------------------------------------------- */

static enum fl_err here_open(const void *config, const struct checkpoint *last, struct fl_buf *redo, struct signer **out,
                             struct fl_why *why)
{
    struct keeper *k = *(struct keeper *const *)config;
    *out = NULL;
    enum fl_err err = keeper_open(k, last, redo, why);
    if (!err)
        *out = (struct signer *)(void *)k;
    return err;
}

static enum fl_err here_sign(struct signer *s, const struct signer_request *r, uint8_t out[static KEY_SIGNATURE], struct fl_why *why)
{
    return keeper_sign((struct keeper *)(void *)s, r, out, why);
}

static enum fl_err here_settled(struct signer *s, struct fl_why *why)
{
    return keeper_settled((struct keeper *)(void *)s, why);
}

static void here_close(struct signer *s)
{
    (void)s; /* the keeper is its owner's */
}

const struct signer_kind signer_keeper = {"keeper", here_open, here_sign, here_close, true, here_settled, NULL};
