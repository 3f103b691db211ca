/* SPDX-License-Identifier: Apache-2.0
 * The signed heads of a bundle: read, parsed, one for each size. */
#include "audit/bundle_inside.h"

#include "base/file.h"
#include "base/grow.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

/* The log's own lines: that of the key in force, and behind it that of the key it hands over to. A line may stand there twice,
 * but Ed25519 gives one signature only: another one by the same key is no good, whichever of the two that is. */
static enum fl_err own_lines(const struct bundle *b, const struct note *note, struct audit_head *h, struct fl_why *why)
{
    uint8_t raw[NOTE_RAW_MAX];
    size_t n, found = 0;
    for (size_t i = 0; i < note->n; i++) {
        const struct note_signature *s = &note->signature[i];
        if (s->name_n != strlen(b->keys[0].name) || memcmp(s->name, b->keys[0].name, s->name_n) != 0 ||
            note_signature_raw(s, raw, &n) || n != 4 + KEY_SIGNATURE)
            continue;
        const uint8_t *before = found && s->id == h->key_id ? h->signature : found > 1 && s->id == h->handover_id ? h->handover : NULL;
        if (before && memcmp(before, raw + 4, KEY_SIGNATURE) != 0)
            return fl_fail(why, FL_FORMAT, "it has two different signatures by the key %08x", s->id);
        if (before || found == 2)
            continue;
        *(found ? &h->handover_id : &h->key_id) = s->id;
        memcpy(found ? h->handover : h->signature, raw + 4, KEY_SIGNATURE);
        found++;
    }
    return found ? FL_OK : fl_fail(why, FL_FORMAT, "the log itself did not sign it");
}

static enum fl_err parse_head(struct bundle *b, const struct fl_buf *bytes, struct audit_head *h, struct fl_why *why)
{
    struct checkpoint c;
    char text[CHECKPOINT_TEXT_MAX];
    struct note *note = malloc(sizeof *note);
    if (!note)
        return fl_fail(why, FL_NOMEM, "out of memory");
    enum fl_err err = note_parse(bytes->bytes ? (const void *)bytes->bytes : "", bytes->len, note, why);
    if (!err)
        err = checkpoint_parse(note->text, note->text_n, &c, why);
    if (!err && strcmp(c.origin, b->keys[0].name) != 0)
        err = fl_fail(why, FL_MISMATCH, "it is of the log %s", c.origin);
    /* the verifier makes the text anew from size and root: what else stands in it would be signed by nobody */
    if (!err && (checkpoint_format(c.origin, c.size, &c.root, text) != note->text_n || memcmp(text, note->text, note->text_n) != 0))
        err = fl_fail(why, FL_FORMAT, "it says more than a head of this log does");
    if (!err)
        *h = (struct audit_head){.size = c.size, .root = c.root};
    if (!err)
        err = own_lines(b, note, h, why);
    free(note);
    return err;
}

static enum fl_err add_head(struct bundle *b, const char *name, struct check_result *out, struct fl_why *why)
{
    struct fl_buf bytes = FL_BUF(NOTE_BYTES_MAX);
    struct fl_why w = {0, ""};
    struct audit_head h;
    enum fl_err err = bundle_file(b->dir, name, &bytes, &w);
    if (!err)
        err = parse_head(b, &bytes, &h, &w);
    fl_buf_fini(&bytes);
    if (err == FL_NOMEM)
        return fl_fail(why, err, "out of memory");
    if (err) {
        /* the file is no good, which says nothing about the records: those of its head, or a good head over it, will */
        audit_add_beside(&out->report, err == FL_MISMATCH ? AUDIT_FOREIGN : AUDIT_MALFORMED, "%.150s: %.200s", name, w.text);
        return FL_OK;
    }
    struct audit_head *p = fl_grow(b->head, b->n_heads, 1, &b->cap_heads, sizeof *p);
    if (!p)
        return fl_fail(why, FL_NOMEM, "out of memory");
    b->head = p;
    b->head[b->n_heads++] = h;
    return FL_OK;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = ((const struct audit_head *)a)->size, y = ((const struct audit_head *)b)->size;
    return x < y ? -1 : x > y;
}

static bool same_head(const struct audit_head *a, const struct audit_head *b)
{
    return a->size == b->size && tree_hash_same(&a->root, &b->root) && a->key_id == b->key_id &&
           memcmp(a->signature, b->signature, KEY_SIGNATURE) == 0 && a->handover_id == b->handover_id &&
           memcmp(a->handover, b->handover, KEY_SIGNATURE) == 0;
}

/* By one of the keys that are known before the log was read? */
static bool signed_well(const struct bundle *b, const struct audit_head *h)
{
    char text[CHECKPOINT_TEXT_MAX];
    size_t n = checkpoint_format(b->keys[0].name, h->size, &h->root, text);
    for (size_t k = 0; k < b->n_keys; k++)
        if (b->keys[k].id == h->key_id && vkey_verify(b->keys[k].key, text, n, h->signature) == FL_OK)
            return true;
    return false;
}

/* One size, one head: the same one in two files counts once, two that the log signed are a fork. Any other second one is left to
 * the verifier, which says what is wrong with it. */
static void sort_heads(struct bundle *b, struct check_result *out)
{
    size_t kept = 0;
    if (b->n_heads)
        qsort(b->head, b->n_heads, sizeof *b->head, by_size);
    for (size_t i = 0; i < b->n_heads; i++) {
        const struct audit_head *h = &b->head[i], *last = kept ? &b->head[kept - 1] : NULL;
        if (last && same_head(last, h))
            continue;
        if (last && last->size == h->size && !tree_hash_same(&last->root, &h->root) && signed_well(b, last) && signed_well(b, h)) {
            audit_add(&out->report, AUDIT_FORK, 0, h->size ? h->size - 1 : 0,
                      "the bundle holds two signed heads of %llu records with different roots", (ull)h->size);
            continue;
        }
        b->head[kept++] = *h;
    }
    b->n_heads = kept;
    b->size = kept ? b->head[kept - 1].size : 0;
}

/* Is the head that was just added the one that its file's name says? */
static void judge_name(const struct bundle *b, const char *name, struct check_result *out)
{
    char want[64];
    const ull size = b->head[b->n_heads - 1].size;
    (void)snprintf(want, sizeof want, "checkpoints/%llu.note", size);
    if (strcmp(name, want) != 0)
        audit_add_beside(&out->report, AUDIT_MALFORMED, "%.150s: it is the head of %llu records", name, size);
}

/* Whoever reads the tiles begins at the file `checkpoint` and believes that there is no more. `n`: heads before it was read. */
static void judge_newest(const struct bundle *b, size_t n, struct check_result *out)
{
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = b->head[i].size > most ? b->head[i].size : most;
    if (b->n_heads > n && b->head[n].size < most)
        audit_add_beside(&out->report, AUDIT_MALFORMED, "checkpoint: it is the head of %llu records, and there is one of %llu",
                         (ull)b->head[n].size, (ull)most);
}

enum fl_err bundle_heads(struct bundle *b, struct check_result *out, struct fl_why *why)
{
    struct fl_names notes = {NULL, 0, 0};
    char name[300], *dir = fl_path_join(b->dir, "checkpoints");
    enum fl_err err = dir ? fl_dir_names(dir, ".note", &notes, why) : fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < notes.n && !err; i++) {
        (void)snprintf(name, sizeof name, "checkpoints/%s", notes.name[i]);
        const size_t n = b->n_heads;
        err = add_head(b, name, out, why);
        if (!err && b->n_heads > n)
            judge_name(b, name, out);
    }
    fl_names_free(&notes);
    free(dir);
    const size_t n = b->n_heads;
    if (!err)
        err = add_head(b, "checkpoint", out, why);
    if (!err)
        judge_newest(b, n, out);
    sort_heads(b, out);
    return err;
}
