/* SPDX-License-Identifier: Apache-2.0
 * Which key may sign which heads: the chain of keys as the log tells it, from the auditor's key on.
 *
 *   leaf 0       log_open    vkey K1, next = SHA-256(public half of K2)      heads of 1 to i + 1 records: K1
 *   leaf i       key_rotate  vkey K2, next = SHA-256(public half of K3)      the head of i + 1 records: K1 and K2
 *                                                                            heads of more: K2 alone
 *   leaf j       key_retire                                                  the head of j + 1 records: the last of all
 *
 * A thief of K1 cannot hand over to a key of his own, because K2 was promised before; a signature of K1 over anything
 * behind the hand-over counts for nothing, because its time is over. */
#include "audit/verify_run.h"

#include <string.h>

typedef unsigned long long ull;

static bool same_key(const struct vkey *a, const struct vkey *b)
{
    return a->id == b->id && memcmp(a->key, b->key, KEY_PUBLIC) == 0;
}

static const struct vkey *given_by_id(const struct audit_run *r, uint32_t id)
{
    for (size_t i = 0; i < r->cfg->n_keys; i++)
        if (r->cfg->keys[i].id == id)
            return &r->cfg->keys[i];
    return NULL;
}

static struct audit_key *present(struct audit_run *r)
{
    return r->out->n_keys ? &r->out->key[r->out->n_keys - 1] : NULL;
}

/* ---- what the records say about keys ------------------------------------------------------------------------- */

static bool take_key(const struct leaf_view *v, struct vkey *out)
{
    char text[KEY_VKEY_MAX];
    if (!v->vkey.p || v->vkey.n >= sizeof text)
        return false;
    memcpy(text, v->vkey.p, v->vkey.n);
    text[v->vkey.n] = 0;
    return vkey_parse(text, out, NULL) == FL_OK && out->type == KEY_NOTE;
}

static void take_promise(struct audit_run *r, const struct leaf_view *v)
{
    memset(r->out->next_key, 0, sizeof r->out->next_key);
    if (v->next.p && v->next.n == sizeof r->out->next_key - 1)
        memcpy(r->out->next_key, v->next.p, v->next.n);
}

static void add_key(struct audit_run *r, const struct vkey *k, uint64_t from)
{
    struct audit_key *a = &r->out->key[r->out->n_keys++];
    *a = (struct audit_key){.key = *k, .from = from, .to = UINT64_MAX};
    for (size_t i = 0; i < r->cfg->n_keys; i++)
        a->trusted |= same_key(&r->cfg->keys[i], k);
}

static bool promised(const struct audit_run *r, const struct vkey *k)
{
    uint8_t digest[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1];
    if (!r->out->next_key[0] || fl_sha256(k->key, KEY_PUBLIC, digest))
        return false;
    fl_hex(digest, sizeof digest, hex);
    return strcmp(hex, r->out->next_key) == 0;
}

static void rotate(struct audit_run *r, const struct leaf_view *v, uint64_t index)
{
    struct audit_key *now = present(r);
    struct vkey next;
    bool room = r->out->n_keys < AUDIT_KEYS_MAX;
    if (!now || now->to != UINT64_MAX || !take_key(v, &next) || strcmp(next.name, now->key.name) != 0 || !room) {
        audit_add(r->out, AUDIT_KEY, index, index, "record %llu hands over to %s", (ull)index,
                  room ? "something that is no key of this log" : "one key more than is provided for");
        return;
    }
    if (!promised(r, &next)) {
        audit_add(r->out, AUDIT_KEY, index, index,
                  "record %llu hands over to the key %08x, which was not promised before: the hand-over is not valid", (ull)index,
                  next.id);
        return;
    }
    now->to = index + 1;
    r->handover_due = index + 1;
    add_key(r, &next, index + 1);
    take_promise(r, v);
}

void audit_keys_learn(struct audit_run *r, const struct leaf_view *v, uint64_t index)
{
    struct vkey first;
    if (index == 0 && take_key(v, &first)) {
        add_key(r, &first, 0);
        take_promise(r, v);
    } else if (leaf_text_is(v->event, "key_rotate")) {
        rotate(r, v, index);
    } else if (leaf_text_is(v->event, "key_retire") && present(r)) {
        present(r)->to = index + 1;
        r->out->retired = true;
    }
}

/* ---- signatures under heads ------------------------------------------------------------------------------------ */

static bool checks(struct audit_run *r, const struct vkey *k, const struct audit_head *h, const uint8_t *signature)
{
    char text[CHECKPOINT_TEXT_MAX];
    size_t n = checkpoint_format(r->cfg->keys[0].name, h->size, &h->root, text);
    r->out->signatures++;
    return vkey_verify(k->key, text, n, signature) == FL_OK;
}

/* The key that signs a head of this size; at a hand-over the old one. NULL: the log names none. */
static const struct audit_key *key_for(const struct audit_run *r, uint64_t size)
{
    for (size_t i = 0; i < r->out->n_keys; i++)
        if (size <= r->out->key[i].to)
            return &r->out->key[i];
    return NULL;
}

static void wrong_key(struct audit_run *r, const struct audit_head *h)
{
    uint64_t last = h->size ? h->size - 1 : 0;
    for (size_t i = 0; i < r->out->n_keys; i++) {
        const struct audit_key *k = &r->out->key[i];
        if (k->key.id != h->key_id)
            continue;
        if (k->to == UINT64_MAX)
            audit_doubt(r, AUDIT_KEY, r->proven, last,
                      "the head of %llu records is signed by the key %08x outside its range: it signs heads of %llu records and more",
                      (ull)h->size, h->key_id, (ull)k->from);
        else
            audit_doubt(r, AUDIT_KEY, r->proven, last,
                      "the head of %llu records is signed by the key %08x outside its range: it signs heads of %llu to %llu records",
                      (ull)h->size, h->key_id, (ull)k->from, (ull)k->to);
        return;
    }
    audit_doubt(r, AUDIT_KEY, r->proven, last, "the head of %llu records is signed by the key %08x, which is not trusted",
              (ull)h->size, h->key_id);
}

/* Both keys under the head at which one hands over to the other. */
static bool handover_ok(struct audit_run *r, const struct audit_head *h)
{
    const struct audit_key *next = present(r);
    uint64_t last = h->size ? h->size - 1 : 0;
    if (h->size != r->handover_due) {
        if (h->handover_id)
            audit_doubt(r, AUDIT_KEY, r->proven, last, "the head of %llu records has a second signature where no key was handed over",
                      (ull)h->size);
        return !h->handover_id;
    }
    r->handover_due = 0;
    if (h->handover_id == next->key.id && checks(r, &next->key, h, h->handover))
        return true;
    audit_add(r->out, AUDIT_KEY, r->proven, last, "the head of %llu records, at which the key was handed over, is not signed by the new key",
              (ull)h->size);
    return false;
}

bool audit_keys_signed(struct audit_run *r, const struct audit_head *h)
{
    uint64_t last = h->size ? h->size - 1 : 0;
    const struct audit_key *now = key_for(r, h->size);
    const struct vkey *k = now ? &now->key : NULL;
    /* a log whose first record does not name the key that signs it is judged by the keys that were given */
    if (r->out->n_keys == 0)
        k = given_by_id(r, h->key_id);
    if (r->handover_due && h->size > r->handover_due) {
        audit_add(r->out, AUDIT_KEY, r->handover_due - 1, r->handover_due - 1,
                  "record %llu hands over the key, and there is no head at it that both keys signed", (ull)(r->handover_due - 1));
        r->handover_due = 0;
    }
    if (!k || k->id != h->key_id) {
        wrong_key(r, h);
        return false;
    }
    if (!checks(r, k, h, h->signature)) {
        audit_doubt(r, AUDIT_SIGNATURE, r->proven, last,
                  "the signature under the head of %llu records is not good: it was made for another tree, or without the key",
                  (ull)h->size);
        return false;
    }
    return handover_ok(r, h);
}

void audit_keys_end(struct audit_run *r)
{
    char text[KEY_VKEY_MAX];
    for (size_t i = 0; i < r->out->n_keys; i++)
        if (r->out->key[i].trusted)
            return;
    if (!r->out->n_keys)
        return;
    vkey_format(&r->out->key[0].key, text);
    audit_add(r->out, AUDIT_KEY, 0, 0, "the log was opened with the key %.300s, which is not trusted here", text);
}

enum fl_err audit_keys_note(struct audit_run *r, const void *note, size_t n, uint64_t size, struct checkpoint *out, struct fl_why *why)
{
    enum fl_err err = fl_fail(why, FL_NOT_FOUND, "it is signed by no key that may sign a head of %llu records", (ull)size);
    for (size_t i = 0; i < r->out->n_keys && err == FL_NOT_FOUND; i++) {
        const struct audit_key *k = &r->out->key[i];
        if (size >= k->from && size <= k->to)
            err = checkpoint_open(note, n, &k->key, 1, r->cfg->keys[0].name, out, why);
    }
    return err;
}
