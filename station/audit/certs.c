/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/certs.h"

#include "audit/certs_map.h"
#include "audit/page.h"
#include "audit/proof_file.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

/* A signed head that some file has. */
struct head {
    uint32_t log, file; /* first file that has it */
    bool compared;
    uint64_t size;
    struct tree_hash root;
};

struct certs {
    const struct trust *trust;
    bool want_pass;
    struct vkey key[2 * TRUST_KEYS_MAX]; /* of logs, then of witnesses */
    size_t n_keys;
    struct fl_hash *hasher;
    char **name; /* of files, by number */
    size_t n_names, cap_names;
    struct head *head;
    size_t n_heads, cap_heads;
    struct places places;
    uint64_t records;
    struct certs_result result;
};

void certs_free(struct certs *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_names; i++)
        free(c->name[i]);
    free(c->name);
    free(c->head);
    places_fini(&c->places);
    fl_hash_free(c->hasher);
    free(c);
}

enum fl_err certs_new(const struct trust *trust, struct certs **out, struct fl_why *why)
{
    *out = NULL;
    if (trust->n_logs == 0)
        return fl_fail(why, FL_ARG, "the verifier key of a log is needed");
    struct certs *c = calloc(1, sizeof *c);
    if (!c || fl_hash_new(FL_HASH_SHA256, &c->hasher)) {
        free(c);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    c->trust = trust;
    c->n_keys = trust->n_logs + trust->n_witnesses;
    memcpy(c->key, trust->log, trust->n_logs * sizeof *c->key);
    memcpy(c->key + trust->n_logs, trust->witness, trust->n_witnesses * sizeof *c->key);
    *out = c;
    return FL_OK;
}

void certs_want_pass(struct certs *c)
{
    c->want_pass = true;
}

static void bad(struct certs_file *f, enum audit_class class, const char *fmt, ...) FL_PRINTF(3, 4);
static void bad(struct certs_file *f, enum audit_class class, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    f->class = class;
}

/* ---- what a file is ---------------------------------------------------------------------------------- */

static const char proof_mark[] = "c2sp.org/tlog-proof@";

static bool is_proof(const char *p, size_t n)
{
    return n >= sizeof proof_mark - 1 && memcmp(p, proof_mark, sizeof proof_mark - 1) == 0;
}

enum fl_err certs_note(const void *bytes, size_t n, const char **note, size_t *note_n, struct fl_why *why)
{
    const char *p = bytes;
    (void)page_proof(p, n, &p, &n);
    if (is_proof(p, n)) {
        const char *blank = memmem(p, n, "\n\n", 2);
        if (!blank)
            return fl_fail(why, FL_FORMAT, "the proof ends before its checkpoint");
        n -= (size_t)(blank + 2 - p);
        p = blank + 2;
    }
    *note = p;
    *note_n = n;
    return FL_OK;
}

/* ---- the head of one file ----------------------------------------------------------------------------- */

static enum fl_err log_of(const struct certs *c, const char *origin, uint32_t *log)
{
    for (size_t k = 0; k < c->n_keys; k++)
        if (c->key[k].type == KEY_NOTE && strcmp(c->key[k].name, origin) == 0) {
            *log = (uint32_t)k; /* the first key of that name stands for the log */
            return FL_OK;
        }
    return FL_NOT_FOUND;
}

/* Signed by a key of the log that it names, and by enough witnesses. */
static enum fl_err judge_note(struct certs *c, const struct note *note, struct certs_file *f, struct checkpoint *head)
{
    bool which[2 * TRUST_KEYS_MAX], by_log = false;
    char asked[160];
    struct fl_why why = {0, ""};
    enum fl_err err = note_verify(note, c->key, c->n_keys, which, &why);
    if (err == FL_NOMEM)
        return err;
    if (err == FL_OK)
        err = checkpoint_parse(note->text, note->text_n, head, &why);
    else if (err == FL_NOT_FOUND)
        bad(f, AUDIT_KEY, "its head is signed by no key that is trusted here");
    else
        bad(f, AUDIT_SIGNATURE, "%s", why.text);
    if (err == FL_FORMAT)
        bad(f, AUDIT_MALFORMED, "%s", why.text);
    if (err)
        return FL_OK;
    (void)snprintf(f->log, sizeof f->log, "%s", head->origin);
    f->size = head->size;
    for (size_t k = 0; k < c->n_keys; k++) {
        by_log |= which[k] && c->key[k].type == KEY_NOTE && strcmp(c->key[k].name, head->origin) == 0;
        f->witnesses += which[k] && c->key[k].type == KEY_COSIGN;
    }
    if (!by_log)
        bad(f, AUDIT_FOREIGN, "its head is of the log %s, and no trusted key of that log signed it", head->origin);
    else if (!trust_met(c->trust, which + c->trust->n_logs)) {
        trust_asked(c->trust, asked);
        bad(f, AUDIT_WITNESS, "asked for is %s; of the witnesses whose keys are known %u signed its head", asked, f->witnesses);
    }
    return FL_OK;
}

static enum fl_err open_head(struct certs *c, const char *bytes, size_t n, struct certs_file *f, struct checkpoint *head)
{
    struct fl_why why = {0, ""};
    struct note *note = malloc(sizeof *note);
    if (!note)
        return FL_NOMEM;
    enum fl_err err = note_parse(bytes, n, note, &why);
    if (err)
        bad(f, AUDIT_MALFORMED, "%s", why.text);
    err = err ? FL_OK : judge_note(c, note, f, head);
    free(note);
    return err;
}

static void say_fork(struct certs *c, const char *fmt, ...) FL_PRINTF(2, 3);
static void say_fork(struct certs *c, const char *fmt, ...)
{
    struct certs_result *r = &c->result;
    if (r->n_forks < AUDIT_FINDINGS_MAX) {
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(r->fork[r->n_forks], sizeof r->fork[0], fmt, ap);
        va_end(ap);
        fl_utf8_clean(r->fork[r->n_forks], false); /* names of files are anybody's, and are cut */
    }
    r->n_forks++;
}

/* Its number among the heads; another root for the same size is the plainest fork there is. */
static enum fl_err keep_head(struct certs *c, uint32_t log, uint32_t file, const struct checkpoint *head, uint32_t *number)
{
    bool forked = false;
    for (size_t i = 0; i < c->n_heads; i++) {
        struct head *h = &c->head[i];
        if (h->log != log || h->size != head->size)
            continue;
        *number = (uint32_t)i;
        if (tree_hash_same(&h->root, &head->root))
            return FL_OK;
        say_fork(c, "%.120s and %.120s hold two different signed heads of %llu records of one log", c->name[h->file], c->name[file],
                 (ull)head->size);
        h->compared = forked = true;
    }
    struct head *p = fl_grow(c->head, c->n_heads, 1, &c->cap_heads, sizeof *p);
    if (!p)
        return FL_NOMEM;
    c->head = p;
    *number = (uint32_t)c->n_heads;
    c->head[c->n_heads++] = (struct head){log, file, forked, head->size, head->root};
    return FL_OK;
}

/* ---- places ------------------------------------------------------------------------------------------- */

static enum fl_err put(struct certs *c, const struct head *h, uint32_t head, uint32_t file, unsigned level, uint64_t index,
                       const struct tree_hash *hash, bool *new)
{
    struct place *p, what = {.log = h->log, .file = file, .head = head, .level = (uint8_t)level, .index = index, .hash = *hash};
    bool found;
    enum fl_err err = places_put(&c->places, &what, &p, &found);
    *new = !found;
    if (err || !found)
        return err;
    if (p->head != head)
        c->head[p->head].compared = c->head[head].compared = true;
    if (!tree_hash_same(&p->hash, hash))
        say_fork(c, "%.120s and %.120s tell different histories: the records %llu to %llu are not the same in both", c->name[p->file],
                 c->name[file], (ull)(index << level), (ull)(((index + 1) << level) - 1));
    return FL_OK;
}

/* Is the subtree whole within `size` leaves? */
static bool whole(unsigned level, uint64_t index, uint64_t size)
{
    return level < TREE_LEVELS - 1 && index + 1 <= size >> level;
}

/* The path, already checked, as places: tree_check_leaf's walk with the level kept. */
static enum fl_err put_path(struct certs *c, uint32_t head, uint32_t file, const struct proof_file *p, struct tree_hash r)
{
    const struct head h = c->head[head];
    uint64_t fn = p->index, sn = h.size - 1;
    unsigned level = 0;
    bool new;
    enum fl_err err = put(c, &h, head, file, 0, fn, &r, &new);
    c->records += new;
    for (size_t i = 0; i < p->path.n && !err; i++) {
        const struct tree_hash *sibling = &p->path.path[i];
        for (; fn == sn && !(fn & 1) && fn; fn >>= 1, sn >>= 1)
            level++;
        uint64_t at = fn & 1 ? fn - 1 : fn + 1;
        if (whole(level, at, h.size))
            err = put(c, &h, head, file, level, at, sibling, &new);
        if (!err)
            err = fn & 1 ? tree_node(c->hasher, sibling, &r, &r) : tree_node(c->hasher, &r, sibling, &r);
        fn >>= 1;
        sn >>= 1;
        level++;
        if (!err && whole(level, fn, h.size))
            err = put(c, &h, head, file, level, fn, &r, &new);
    }
    return err;
}

/* ---- one certificate ------------------------------------------------------------------------------------ */

static void copy_text(const json_t *o, const char *key, char *out, size_t n)
{
    (void)snprintf(out, n, "%s", fl_json_text(o, key));
}

/* What the record says. It is proven by now: anything odd in it was signed so. */
static void read_record(const struct proof_file *p, struct certs_file *f)
{
    json_t *o = NULL;
    struct leaf_view v;
    struct fl_why why = {0, ""};
    if (leaf_scan(p->extra.bytes, p->extra.len, &v, &why) || fl_json_parse(p->extra.bytes, p->extra.len, &o, &why)) {
        bad(f, AUDIT_FORM, "its record is in another form than this program writes: %s", why.text);
        return;
    }
    if (!leaf_text_is(v.log, f->log))
        bad(f, AUDIT_FOREIGN, "its record says that it belongs to another log than its head");
    else if (v.seq < 0 || (uint64_t)v.seq != p->index)
        bad(f, AUDIT_ORDER, "its record says that it is number %lld, its proof is for %llu", (long long)v.seq, (ull)p->index);
    copy_text(o, "event", f->event, sizeof f->event);
    copy_text(o, "mac", f->mac, sizeof f->mac);
    copy_text(o, "outcome", f->outcome, sizeof f->outcome);
    copy_text(o, "profile", f->profile, sizeof f->profile);
    copy_text(o, "time", f->time, sizeof f->time);
    json_decref(o);
    f->index = p->index;
    f->has_record = f->class == AUDIT_GOOD;
}

static enum fl_err check_proof(struct certs *c, uint32_t file, const struct proof_file *p, struct certs_file *f)
{
    struct checkpoint head;
    struct tree_hash leaf;
    uint32_t log, number;
    enum fl_err err = open_head(c, p->note, p->note_n, f, &head);
    if (err || f->class != AUDIT_GOOD)
        return err;
    if (!p->has_extra) {
        bad(f, AUDIT_MALFORMED, "it holds no record: it proves one that must come with it");
        return FL_OK;
    }
    err = tree_leaf(c->hasher, p->extra.bytes, p->extra.len, &leaf);
    if (!err)
        err = tree_check_leaf(c->hasher, &leaf, p->index, head.size, &p->path, &head.root);
    if (err == FL_MISMATCH) {
        bad(f, AUDIT_PROOF, "its record is not number %llu of the %llu under the signed head: one of record, place and path was changed",
            (ull)p->index, (ull)head.size);
        return FL_OK;
    }
    if (!err)
        err = log_of(c, head.origin, &log);
    if (!err)
        err = keep_head(c, log, file, &head, &number);
    if (!err)
        err = put_path(c, number, file, p, leaf);
    if (!err)
        read_record(p, f);
    return err;
}

static enum fl_err judge(struct certs *c, uint32_t file, const char *p, size_t n, struct certs_file *f)
{
    struct checkpoint head;
    struct proof_file proof;
    struct fl_why why = {0, ""};
    uint32_t log, number;
    enum fl_err err;
    const char *page = p;
    size_t page_n = n;
    bool is_page = page_proof(p, n, &p, &n);
    if (!is_proof(p, n)) {
        err = open_head(c, p, n, f, &head);
        if (!err && f->class == AUDIT_GOOD)
            err = log_of(c, head.origin, &log);
        return err || f->class != AUDIT_GOOD ? err : keep_head(c, log, file, &head, &number);
    }
    err = proof_file_parse(p, n, &proof, &why);
    if (err && err != FL_NOMEM)
        bad(f, AUDIT_MALFORMED, "%s", why.text);
    else if (!err)
        err = check_proof(c, file, &proof, f);
    if (!err && is_page && f->class == AUDIT_GOOD) {
        err = page_check(page, page_n, &proof, p, n, &why);
        if (err && err != FL_NOMEM)
            bad(f, AUDIT_MALFORMED, "%s", why.text);
    }
    proof_file_fini(&proof);
    return err == FL_NOMEM ? err : FL_OK;
}

/* What is told is for eyes: an origin, and what a record says, may be cut within a letter or steer a terminal. */
static void tidy(struct certs_file *f)
{
    char *const said[] = {f->text, f->log, f->event, f->mac, f->outcome, f->profile, f->time};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        fl_utf8_clean(said[i], false);
}

enum fl_err certs_add(struct certs *c, const char *name, const void *bytes, size_t n, struct certs_file *out,
                      struct fl_why *why)
{
    *out = (struct certs_file){.class = AUDIT_GOOD};
    char *copy = strdup(name), **names = fl_grow(c->name, c->n_names, 1, &c->cap_names, sizeof *names);
    if (names)
        c->name = names;
    if (!copy || !names) {
        free(copy);
        return fl_fail(why, FL_NOMEM, "out of memory");
    }
    c->name[c->n_names++] = copy;
    enum fl_err err = judge(c, (uint32_t)(c->n_names - 1), bytes, n, out);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    if (c->want_pass && out->class == AUDIT_GOOD && !(strcmp(out->event, "unit_final") == 0 && strcmp(out->outcome, "PASS") == 0))
        bad(out, AUDIT_OTHER, "it proves %s%s%s, and certifies no unit that passed", out->has_record ? "a record " : "a signed head",
            out->event, out->outcome[0] ? " that is no PASS" : "");
    tidy(out);
    c->result.files++;
    c->result.good += out->class == AUDIT_GOOD;
    if (c->result.verdict == AUDIT_GOOD)
        c->result.verdict = out->class;
    return FL_OK;
}

/* ---- all against all ------------------------------------------------------------------------------------- */

/* Where every peak under a head is known, they must give its root. (No parent has to be made from two children: a file that
 * tells a right child tells its parent too.) */
static enum fl_err check_root(struct certs *c, struct head *h)
{
    struct tree_range range = {.size = h->size};
    struct tree_hash root;
    uint32_t other = h->file;
    for (unsigned l = 0; l < TREE_LEVELS - 1; l++) {
        if (!(h->size >> l & 1))
            continue;
        const struct place *p = places_get(&c->places, h->log, l, (h->size >> l) - 1);
        if (!p)
            return FL_OK;
        range.at[l] = p->hash;
        other = p->file != h->file ? p->file : other;
    }
    h->compared |= other != h->file;
    enum fl_err err = tree_range_root(c->hasher, &range, &root);
    if (!err && !tree_hash_same(&root, &h->root))
        say_fork(c, "%.120s holds a signed head of %llu records that is not over the records of the others (%.120s)", c->name[h->file],
                 (ull)h->size, c->name[other]);
    return err;
}

enum fl_err certs_end(struct certs *c, struct certs_result *out, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < c->n_heads && !err; i++)
        err = check_root(c, &c->head[i]);
    if (err)
        return fl_fail(why, err, "%s", fl_err_text(err));
    c->result.records = c->records;
    c->result.heads = c->n_heads;
    for (size_t i = 0; i < c->n_heads; i++)
        c->result.compared += c->head[i].compared;
    if (c->result.n_forks)
        c->result.verdict = AUDIT_FORK;
    *out = c->result;
    return FL_OK;
}
