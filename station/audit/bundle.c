/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/bundle.h"

#include "audit/evidence.h"
#include "audit/tiles.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

struct bundle {
    const char *dir;
    const struct vkey *keys;
    size_t n_keys;
    FILE *records;
    uint8_t *line; /* LEAF_BYTES_MAX + 2 */
    uint64_t at;   /* the next record's place */
    struct audit_head *head;
    size_t n_heads, at_head;
    uint64_t size; /* of the newest head */
    struct tree_hash tile[TILE_HASHES]; /* of level 0 around `at` */
    bool has_tile, use_tiles, differ; /* give their hashes to the verifier; one differs from its record */
    struct tiles *tiles;
    struct account *account;
    struct fl_hash *hasher;
    uint64_t compared;
    char wrong[TILE_PATH_MAX + 40]; /* first tile that differs */
};

bool bundle_there(const char *dir)
{
    char *path = fl_path_join(dir, "records.ndjson");
    bool there = path && fl_path_exists(path);
    free(path);
    return there;
}

/* ---- records ------------------------------------------------------------------------------------------------- */

/* One line without its newline. One that is too long comes back one byte too long, which no record may be. */
static enum fl_err read_line(struct bundle *b, size_t *n, struct fl_why *why)
{
    int c;
    *n = 0;
    while ((c = getc_unlocked(b->records)) != EOF && c != '\n') {
        b->line[*n] = (uint8_t)c;
        *n += *n <= LEAF_BYTES_MAX;
    }
    if (c == EOF && ferror(b->records))
        return fl_fail(why, FL_IO, "cannot read %.250s/records.ndjson", b->dir);
    return c == EOF && *n == 0 ? FL_NOT_FOUND : FL_OK;
}

static enum fl_err read_file(const char *dir, const char *name, struct fl_buf *out, struct fl_why *why)
{
    char *path = fl_path_join(dir, name);
    enum fl_err err = path ? fl_file_read(path, out, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(path);
    return err;
}

/* The hashes kept for the 256 records from `at`: so one changed record can be named. */
static void load_tile(struct bundle *b)
{
    char path[TILE_PATH_MAX];
    struct fl_buf bytes = FL_BUF(TILE_HASHES * FL_SHA256_SIZE);
    uint64_t n = b->at / TILE_HASHES, left = b->size > b->at ? b->size - b->at : 0;
    unsigned width = left >= TILE_HASHES ? 0 : (unsigned)left;
    size_t want = (width ? width : TILE_HASHES) * sizeof *b->tile;
    tiles_path(0, n, width, path);
    b->has_tile = left && !read_file(b->dir, path, &bytes, NULL) && bytes.len == want;
    memset(b->tile, 0, sizeof b->tile);
    if (b->has_tile)
        memcpy(b->tile, bytes.bytes, want);
    fl_buf_fini(&bytes);
}

static enum fl_err next_leaf(void *ctx, struct audit_leaf *out, struct fl_why *why)
{
    struct bundle *b = ctx;
    struct tree_hash hash;
    size_t n;
    enum fl_err err = read_line(b, &n, why);
    if (err)
        return err;
    if (b->at % TILE_HASHES == 0)
        load_tile(b);
    if (tree_leaf(b->hasher, b->line, n, &hash))
        return fl_fail(why, FL_NOMEM, "out of memory");
    const struct tree_hash *kept = b->has_tile && b->at < b->size ? &b->tile[b->at % TILE_HASHES] : NULL;
    b->differ |= kept && !tree_hash_same(kept, &hash);
    *out = (struct audit_leaf){.index = b->at, .rec = b->line, .n = n, .hash = kept && b->use_tiles ? kept->b : NULL};
    b->at++;
    return tiles_add(b->tiles, &hash, b->line, n, why);
}

/* ---- tiles ---------------------------------------------------------------------------------------------------- */

static enum fl_err compare_tile(void *ctx, const char *path, const uint8_t *bytes, size_t n, struct fl_why *why)
{
    struct bundle *b = ctx;
    struct fl_buf have = FL_BUF(n + 1);
    enum fl_err err = *b->wrong ? FL_OK : read_file(b->dir, path, &have, NULL);
    (void)why;
    if (!*b->wrong && (err || have.len != n || memcmp(have.bytes, bytes, n) != 0))
        (void)snprintf(b->wrong, sizeof b->wrong, "%s is %s", path, err == FL_NOT_FOUND ? "not there" : "not what the records give");
    b->compared++;
    fl_buf_fini(&have);
    return FL_OK;
}

/* ---- heads ---------------------------------------------------------------------------------------------------- */

static enum fl_err next_head(void *ctx, struct audit_head *out, struct fl_why *why)
{
    struct bundle *b = ctx;
    (void)why;
    if (b->at_head == b->n_heads)
        return FL_NOT_FOUND;
    *out = b->head[b->at_head++];
    return FL_OK;
}

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
    enum fl_err err = read_file(b->dir, name, &bytes, &w);
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
    struct audit_head *p = realloc(b->head, (b->n_heads + 1) * sizeof *p);
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

static enum fl_err load_heads(struct bundle *b, struct check_result *out, struct fl_why *why)
{
    struct fl_names notes = {NULL, 0, 0};
    char name[300], *dir = fl_path_join(b->dir, "checkpoints");
    enum fl_err err = dir ? fl_dir_names(dir, ".note", &notes, why) : fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < notes.n && !err; i++) {
        (void)snprintf(name, sizeof name, "checkpoints/%s", notes.name[i]);
        err = add_head(b, name, out, why);
    }
    fl_names_free(&notes);
    free(dir);
    if (!err)
        err = add_head(b, "checkpoint", out, why);
    sort_heads(b, out);
    return err;
}

/* ---- evidence --------------------------------------------------------------------------------------------------- */

static enum fl_err load_anchors(struct bundle *b, struct evidence *e, struct fl_why *why)
{
    static const char mark[] = "\"event\":\"anchor\"";
    enum fl_err err, bad = FL_OK;
    size_t n;
    for (uint64_t i = 0; !bad && !(err = read_line(b, &n, why)); i++)
        if (n <= LEAF_BYTES_MAX && memmem(b->line, n, mark, sizeof mark - 1))
            bad = evidence_anchor(e, i, b->line, n, why);
    rewind(b->records);
    return bad ? bad : err == FL_NOT_FOUND ? FL_OK : err;
}

static enum fl_err load_evidence(struct bundle *b, const struct bundle_config *c, struct evidence *e, struct fl_why *why)
{
    enum fl_err err = FL_OK;
    for (size_t i = 0; i < c->n_heads && !err; i++)
        err = evidence_file(e, EVIDENCE_HEAD, c->heads[i], why);
    char *dir = fl_path_join(b->dir, "witness");
    if (!err)
        err = dir ? evidence_folder(e, EVIDENCE_COSIGNED, dir, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(dir);
    return err ? err : load_anchors(b, e, why);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static enum fl_err own_key(const char *dir, struct vkey *out, struct fl_why *why)
{
    struct fl_buf b = FL_BUF(2 * KEY_VKEY_MAX);
    enum fl_err err = read_file(dir, "key", &b, why);
    if (!err && b.len && b.bytes[b.len - 1] == '\n')
        b.bytes[b.len - 1] = 0;
    if (!err)
        err = vkey_parse(fl_buf_text(&b), out, why);
    fl_buf_fini(&b);
    return err;
}

static enum fl_err open_bundle(struct bundle *b, struct fl_why *why)
{
    char *path = fl_path_join(b->dir, "records.ndjson");
    b->line = malloc(LEAF_BYTES_MAX + 3);
    b->records = path ? fopen(path, "re") : NULL;
    free(path);
    if (!b->records)
        return fl_fail_os(why, "cannot open %.250s/records.ndjson", b->dir);
    if (!b->line || fl_hash_new(FL_HASH_SHA256, &b->hasher))
        return fl_fail(why, FL_NOMEM, "out of memory");
    return account_new(&b->account, why);
}

static void close_bundle(struct bundle *b)
{
    if (b->records)
        (void)fclose(b->records);
    free(b->line);
    free(b->head);
    fl_hash_free(b->hasher);
    tiles_free(b->tiles);
    account_free(b->account);
}

/* Findings made before the walk come behind those of the walk. */
static void join(struct check_result *out, const struct audit_report *before)
{
    for (size_t i = 0; i < before->n_findings && i < AUDIT_FINDINGS_MAX; i++) {
        const struct audit_finding *f = &before->finding[i];
        if (f->beside)
            audit_add_beside(&out->report, f->class, "%s", f->text);
        else
            audit_add(&out->report, f->class, f->first, f->last, "%s", f->text);
    }
}

static enum fl_err walk(struct bundle *b, struct evidence *e, struct audit_report *out, struct fl_why *why)
{
    const struct audit_source source = {b, next_leaf, NULL, next_head};
    const struct tiles_sink sink = {b, compare_tile};
    struct audit_config c = {.keys = b->keys, .n_keys = b->n_keys, .heads = b->n_heads, .account = b->account};
    rewind(b->records);
    b->at = b->at_head = b->compared = 0;
    tiles_free(b->tiles);
    enum fl_err err = tiles_new(&sink, &b->tiles, why);
    if (!err)
        err = evidence_outside(e, &c.outside, &c.n_outside, why);
    if (!err)
        err = audit_verify(&source, &c, out, why);
    return err ? err : tiles_end(b->tiles, why);
}

static bool only_changed(const struct audit_report *r)
{
    bool ok = r->tree_intact;
    for (size_t i = 0; i < r->n_findings && i < AUDIT_FINDINGS_MAX; i++)
        ok &= r->finding[i].class != AUDIT_ORDER && r->finding[i].class != AUDIT_MISSING; /* moved: not bytes changed in place */
    return ok;
}

/* The records by themselves. When they are not what was signed and differ from the hashes in the tiles: once more with those
 * hashes. If they do lead to every signed root, only single records were changed, and it is known which. */
static enum fl_err verify(struct bundle *b, struct evidence *e, struct check_result *out, struct fl_why *why)
{
    struct audit_report *before = malloc(sizeof *before);
    if (!before)
        return fl_fail(why, FL_NOMEM, "out of memory");
    *before = out->report;
    enum fl_err err = walk(b, e, &out->report, why);
    if (!err && b->differ && out->report.n_log_findings) {
        b->use_tiles = true;
        err = walk(b, e, &out->report, why);
        if (!err && !only_changed(&out->report)) {
            b->use_tiles = false;
            err = walk(b, e, &out->report, why);
        }
    }
    join(out, before);
    if (!err && *b->wrong && out->report.n_log_findings == 0)
        audit_add(&out->report, AUDIT_NODE, 0, 0, "%s", b->wrong);
    out->tiles = b->compared;
    free(before);
    return err;
}

/* ---- what it says of itself --------------------------------------------------------------------------------------- */

static bool of_log(const struct audit_report *r, const struct vkey *k)
{
    bool known = r->n_keys == 0; /* the records name no key: nothing to hold it against but the name */
    for (size_t i = 0; i < r->n_keys; i++)
        known |= r->key[i].key.id == k->id && memcmp(r->key[i].key.key, k->key, KEY_PUBLIC) == 0;
    return known;
}

/* With a key from paper nothing here is taken from the file `key`; somebody else may take it from there. */
static void judge_key(const struct bundle *b, struct check_result *out)
{
    struct vkey k;
    struct fl_why why = {0, ""};
    if (own_key(b->dir, &k, &why))
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file key: %.250s", why.text);
    else if (strcmp(k.name, b->keys[0].name) != 0 || !of_log(&out->report, &k))
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file key holds %08x of %.150s, which is no key of this log: it was exchanged", k.id, k.name);
}

/* Against what the log's own records tell. A log that asks for nobody has a file that names no witness. */
static enum fl_err judge_told(const char *path, const struct policy *p, struct check_result *out)
{
    const struct audit_policy *told = &out->report.policy;
    struct fl_buf bytes = FL_BUF(POLICY_BYTES_MAX);
    bool same = true;
    if (!told->times)
        return FL_OK;
    enum fl_err err = told->none ? FL_OK : fl_file_read(path, &bytes, NULL);
    if (!err && told->none)
        same = p->n_witnesses == 0 && p->quorum == POLICY_NONE;
    else if (!err)
        err = policy_told_same(told, bytes.bytes, bytes.len, &same, NULL);
    if (!same)
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file policy is not the one that record %llu tells: it was exchanged",
                         (unsigned long long)told->leaf);
    fl_buf_fini(&bytes);
    return err;
}

static enum fl_err judge_policy(const struct bundle *b, const struct trust *t, struct check_result *out)
{
    struct policy *p = NULL;
    struct fl_why why = {0, ""};
    char *path = fl_path_join(b->dir, "policy");
    enum fl_err err = path ? policy_read(path, &p, &why) : FL_NOMEM;
    bool ours = false;
    if (err && err != FL_NOMEM) {
        audit_add_beside(&out->report, AUDIT_MALFORMED, "the bundle's file policy: %.250s", why.text);
        free(path);
        return FL_OK;
    }
    if (!err)
        err = judge_told(path, p, out);
    free(path);
    if (err) {
        policy_free(p);
        return err;
    }
    for (size_t i = 0; i < p->n_logs; i++)
        ours |= strcmp(p->log[i].vkey.name, b->keys[0].name) == 0 && of_log(&out->report, &p->log[i].vkey);
    if (p->n_logs && !ours)
        audit_add_beside(&out->report, AUDIT_KEY, "the bundle's file policy names no key of this log: it was exchanged");
    for (size_t i = 0; i < p->n_witnesses; i++) {
        bool given = false;
        for (size_t k = 0; k < t->n_witnesses; k++)
            given |= memcmp(t->witness[k].key, p->witness[i].vkey.key, KEY_PUBLIC) == 0;
        out->policy_given += given;
    }
    out->policy_witnesses = p->n_witnesses;
    policy_free(p);
    return FL_OK;
}

enum fl_err bundle_check(const struct bundle_config *c, struct check_result *out, struct fl_why *why)
{
    struct vkey keys[TRUST_KEYS_MAX];
    struct bundle b = {.dir = c->dir, .keys = keys};
    struct evidence e;
    memset(out, 0, sizeof *out);
    out->bundle = true;
    out->own_key = c->trust->n_logs == 0;
    enum fl_err err = own_key(c->dir, &keys[0], why);
    if (!out->own_key) { /* then the bundle's own matters only to know which log it says it is */
        b.n_keys = trust_log(c->trust, err ? "" : keys[0].name, keys);
        err = FL_OK;
    } else {
        b.n_keys = 1;
    }
    if (!err)
        out->vkey = keys[0];
    evidence_init(&e, c->trust);
    if (!err)
        err = open_bundle(&b, why);
    if (!err)
        err = load_heads(&b, out, why);
    if (!err)
        err = load_evidence(&b, c, &e, why);
    if (!err)
        err = verify(&b, &e, out, why);
    if (!err && !out->own_key)
        judge_key(&b, out);
    if (!err && judge_policy(&b, c->trust, out))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        evidence_tell(&e, out);
    if (!err && out->report.verdict == AUDIT_GOOD && !out->report.leaves)
        audit_add(&out->report, AUDIT_MISSING, 0, 0, "there is not one record: every log begins with one that opens it");
    evidence_fini(&e);
    close_bundle(&b);
    return err;
}
