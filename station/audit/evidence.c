/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/evidence.h"

#include "audit/anchor.h"
#include "audit/certs.h"
#include "base/file.h"
#include "base/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVIDENCE_MAX = 100000 };

struct evidence_item {
    enum evidence_kind kind;
    char *name;
    struct fl_buf bytes;
    const char *note; /* within bytes */
    size_t note_n;
    uint64_t leaf;    /* of an anchor */
    int64_t time_ms;  /* of its token */
    bool witnessed;   /* by one whose key was given */
    bool by[TRUST_KEYS_MAX]; /* which of them */
    enum audit_class bad; /* GOOD: nothing against it by itself */
    char why[300];
};

void evidence_init(struct evidence *e, const struct trust *trust)
{
    *e = (struct evidence){.trust = trust};
}

void evidence_fini(struct evidence *e)
{
    for (size_t i = 0; i < e->n; i++) {
        free(e->item[i].name);
        fl_buf_fini(&e->item[i].bytes);
    }
    free(e->item);
    free(e->list);
    *e = (struct evidence){.n = 0};
}

static enum fl_err new_item(struct evidence *e, enum evidence_kind kind, const char *name, struct evidence_item **out, struct fl_why *why)
{
    if (e->n == EVIDENCE_MAX)
        return fl_fail(why, FL_LIMIT, "more than %d heads from outside", EVIDENCE_MAX);
    struct evidence_item *p = fl_grow(e->item, e->n, 1, &e->cap, sizeof *p);
    if (!p)
        return fl_fail(why, FL_NOMEM, "out of memory");
    e->item = p;
    char *copy = strdup(name);
    if (!copy)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *out = &e->item[e->n++];
    **out = (struct evidence_item){.kind = kind, .name = copy, .bytes = FL_BUF(4 << 20), .bad = AUDIT_GOOD};
    return FL_OK;
}

static void against(struct evidence_item *i, enum audit_class class, const struct fl_why *why)
{
    i->bad = class;
    (void)snprintf(i->why, sizeof i->why, "%.290s", why->text);
}

/* Which witnesses signed it? A line by one that is known must be good. */
static enum fl_err ask_witnesses(const struct evidence *e, struct evidence_item *i)
{
    struct fl_why why = {0, ""};
    struct note *note = malloc(sizeof *note);
    if (!note)
        return FL_NOMEM;
    enum fl_err err = note_parse(i->note, i->note_n, note, &why);
    if (err)
        against(i, AUDIT_MALFORMED, &why);
    else
        err = note_verify(note, e->trust->witness, e->trust->n_witnesses, i->by, &why);
    if (err == FL_MISMATCH)
        against(i, AUDIT_WITNESS, &why);
    i->witnessed = err == FL_OK;
    free(note);
    return err == FL_NOMEM ? err : FL_OK;
}

enum fl_err evidence_file(struct evidence *e, enum evidence_kind kind, const char *path, struct fl_why *why)
{
    struct evidence_item *i;
    struct fl_why w = {0, ""};
    enum fl_err err = new_item(e, kind, path, &i, why);
    if (!err)
        err = fl_file_read(path, &i->bytes, why);
    if (err)
        return err;
    if (certs_note(i->bytes.bytes ? (const void *)i->bytes.bytes : "", i->bytes.len, &i->note, &i->note_n, &w))
        against(i, AUDIT_MALFORMED, &w);
    else if (e->trust && e->trust->n_witnesses && ask_witnesses(e, i))
        return fl_fail(why, FL_NOMEM, "out of memory");
    return FL_OK;
}

enum fl_err evidence_note(struct evidence *e, enum evidence_kind kind, const char *name, const struct fl_buf *note, struct fl_why *why)
{
    struct evidence_item *i;
    enum fl_err err = new_item(e, kind, name, &i, why);
    if (err)
        return err;
    fl_buf_add(&i->bytes, note->bytes, note->len);
    i->note = fl_buf_text(&i->bytes);
    i->note_n = i->bytes.len;
    return fl_buf_err(&i->bytes, why);
}

enum fl_err evidence_folder(struct evidence *e, enum evidence_kind kind, const char *dir, struct fl_why *why)
{
    struct fl_names notes;
    enum fl_err err = fl_dir_names(dir, ".note", &notes, why);
    for (size_t i = 0; i < notes.n && !err; i++) {
        char *path = fl_path_join(dir, notes.name[i]);
        err = path ? evidence_file(e, kind, path, why) : fl_fail(why, FL_NOMEM, "out of memory");
        free(path);
    }
    fl_names_free(&notes);
    return err;
}

enum fl_err evidence_anchor(struct evidence *e, uint64_t leaf, const void *rec, size_t n, struct fl_why *why)
{
    char name[60];
    struct anchor a;
    struct evidence_item *i;
    struct fl_why w = {0, ""};
    (void)snprintf(name, sizeof name, "the timestamp in record %llu", (unsigned long long)leaf);
    enum fl_err err = new_item(e, EVIDENCE_ANCHOR, name, &i, why);
    if (err)
        return err;
    i->leaf = leaf;
    err = anchor_read(rec, n, &a, &w);
    if (!err)
        err = anchor_check(&a.token, a.note.bytes, a.note.len, e->trust ? e->trust->ca : NULL, NULL, &i->time_ms, &w);
    if (err == FL_NOT_FOUND || err == FL_NOMEM)
        *why = w; /* the file of authorities: nobody's fault but the caller's */
    else if (err)
        against(i, AUDIT_TOKEN, &w);
    fl_buf_add(&i->bytes, a.note.bytes, a.note.len);
    i->note = fl_buf_text(&i->bytes);
    i->note_n = i->bytes.len;
    anchor_fini(&a);
    return err == FL_NOT_FOUND || err == FL_NOMEM ? err : fl_buf_err(&i->bytes, why);
}

/* A stamp by nobody knows whom proves no time. */
static struct audit_outside outside_of(const struct evidence *e, const struct evidence_item *i)
{
    bool stamped = i->kind == EVIDENCE_ANCHOR && e->trust && e->trust->ca;
    return (struct audit_outside){.name = i->name, .note = i->note, .n = i->note_n, .stamped_ms = stamped ? i->time_ms : 0, .anchor = i->leaf};
}

enum fl_err evidence_outside(struct evidence *e, struct audit_outside **list, size_t *n, struct fl_why *why)
{
    free(e->list);
    e->list = calloc(e->n + 1, sizeof *e->list);
    if (!e->list)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *n = 0;
    for (size_t i = 0; i < e->n; i++) /* bad ones too, so that the places agree: as an empty note they would be a finding */
        if (e->item[i].bad == AUDIT_GOOD)
            e->list[(*n)++] = outside_of(e, &e->item[i]);
    *list = e->list;
    return FL_OK;
}

static void tell_good(const struct evidence_item *i, const struct audit_outside *h, struct check_result *out)
{
    if (i->kind == EVIDENCE_MARK) {
        out->mark = true;
    } else if (i->kind == EVIDENCE_SIGNER) {
        out->signer_agrees = true;
        out->signer_size = h->size;
    } else if (i->kind == EVIDENCE_HEAD) {
        out->heads_agreed++;
        out->heads_size = h->size > out->heads_size ? h->size : out->heads_size;
    } else if (i->kind == EVIDENCE_ANCHOR) {
        out->anchors_good++;
        if (h->size >= out->anchor_size) {
            out->anchor_size = h->size;
            out->anchor_ms = i->time_ms;
        }
    }
    if (i->witnessed) {
        out->cosigned++;
    } else if (i->kind == EVIDENCE_COSIGNED) {
        out->unknown_cosigned++;
    }
}

static void hold(uint64_t held[static TRUST_KEYS_MAX], const struct evidence_item *i, uint64_t size)
{
    for (size_t w = 0; w < TRUST_KEYS_MAX; w++)
        if (i->by[w] && size > held[w])
            held[w] = size;
}

/* The most records that enough witnesses hold. One word is enough where none is asked for. */
static uint64_t held_by_enough(const struct trust *t, const uint64_t held[static TRUST_KEYS_MAX])
{
    uint64_t best = 0;
    for (size_t i = 0; i < t->n_witnesses; i++) {
        bool by[TRUST_KEYS_MAX] = {false};
        for (size_t w = 0; w < t->n_witnesses; w++)
            by[w] = held[w] && held[w] >= held[i];
        if (held[i] > best && trust_met(t, by))
            best = held[i];
    }
    return best;
}

static void judge_witnesses(const struct trust *t, const uint64_t held[static TRUST_KEYS_MAX], struct check_result *out)
{
    size_t have = 0;
    out->asked = trust_asks(t);
    if (out->asked)
        trust_asked(t, out->asked_text);
    out->cosigned_size = held_by_enough(t, held);
    for (size_t w = 0; w < t->n_witnesses; w++)
        have += held[w] > 0;
    if (out->asked && !out->cosigned_size)
        audit_add(&out->report, AUDIT_WITNESS, 0, 0, "%s asked for to hold this log: of the %zu whose keys are known, %zu signed a head of it",
                  out->asked_text, t->n_witnesses, have);
}

void evidence_tell(const struct evidence *e, struct check_result *out)
{
    uint64_t held[TRUST_KEYS_MAX] = {0};
    size_t k = 0;
    out->has_ca = e->trust && e->trust->ca;
    for (size_t i = 0; i < e->n; i++) {
        const struct evidence_item *it = &e->item[i];
        out->heads_given += it->kind == EVIDENCE_HEAD;
        out->has_mark |= it->kind == EVIDENCE_MARK;
        out->anchors += it->kind == EVIDENCE_ANCHOR;
        if (it->bad != AUDIT_GOOD)
            audit_add_beside(&out->report, it->bad, "%.80s: %.290s", it->name, it->why);
        else if (e->list && e->list[k++].agreed) {
            tell_good(it, &e->list[k - 1], out);
            hold(held, it, e->list[k - 1].size);
        }
    }
    if (e->trust)
        judge_witnesses(e->trust, held, out);
}
