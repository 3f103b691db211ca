/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/bundle_inside.h"

#include "audit/evidence.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum fl_err bundle_file(const char *dir, const char *name, struct fl_buf *out, struct fl_why *why)
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
    b->has_tile = left && !bundle_file(b->dir, path, &bytes, NULL) && bytes.len == want;
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
    enum fl_err err = *b->wrong ? FL_OK : bundle_file(b->dir, path, &have, NULL);
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

enum fl_err bundle_check(const struct bundle_config *c, struct check_result *out, struct fl_why *why)
{
    struct vkey keys[TRUST_KEYS_MAX];
    struct bundle b = {.dir = c->dir, .keys = keys};
    struct evidence e;
    memset(out, 0, sizeof *out);
    out->bundle = true;
    out->own_key = c->trust->n_logs == 0;
    enum fl_err err = bundle_key(c->dir, &keys[0], why);
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
        err = bundle_heads(&b, out, why);
    if (!err)
        err = load_evidence(&b, c, &e, why);
    if (!err)
        err = verify(&b, &e, out, why);
    if (!err && !out->own_key)
        bundle_judge_key(&b, out);
    if (!err && bundle_judge_policy(&b, c->trust, out))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        evidence_tell(&e, out);
    if (!err && out->report.verdict == AUDIT_GOOD && !out->report.leaves)
        audit_add(&out->report, AUDIT_MISSING, 0, 0, "there is not one record: every log begins with one that opens it");
    evidence_fini(&e);
    close_bundle(&b);
    return err;
}
