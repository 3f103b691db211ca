/* SPDX-License-Identifier: Apache-2.0 */
#include "prove/check.h"

#include "audit/evidence.h"
#include "base/file.h"
#include "ledger/ledger.h"
#include "prove/check_outbox.h"
#include "prove/check_rows.h"
#include "store/db.h"
#include "store/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is checked with what. */
struct checking {
    const struct check_config *c;
    struct vkey keys[TRUST_KEYS_MAX];
    size_t n_keys;
    struct evidence e;
};

/* The folder's own mark first: read before the database is, so that a station at work cannot be ahead of us. */
static enum fl_err read_evidence(const struct check_config *c, const struct folder *f, struct evidence *e, struct fl_why *why)
{
    enum fl_err err = fl_path_exists(f->checkpoint) ? evidence_file(e, EVIDENCE_MARK, f->checkpoint, why) : FL_OK;
    for (size_t i = 0; i < c->n_heads && !err; i++)
        err = evidence_file(e, EVIDENCE_HEAD, c->heads[i], why);
    char *dir = fl_path_join(f->dir, "cosigned");
    if (!err)
        err = dir ? evidence_folder(e, EVIDENCE_COSIGNED, dir, why) : fl_fail(why, FL_NOMEM, "out of memory");
    free(dir);
    return err;
}

static enum fl_err read_anchors(sqlite3 *db, struct evidence *e, struct fl_why *why)
{
    sqlite3_stmt *s;
    struct shapes *shapes = NULL;
    int rc = SQLITE_ROW;
    enum fl_err err = db_prepare(db, "SELECT l.idx FROM leaf l JOIN event_kind k ON k.id = l.kind WHERE k.name = 'anchor' ORDER BY l.idx",
                                 &s, why);
    if (err)
        return err;
    err = shapes_new(db, &shapes, why);
    while (!err && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const uint8_t *rec;
        size_t n;
        err = shapes_record(shapes, sqlite3_column_int64(s, 0), &rec, &n, why);
        if (!err)
            err = evidence_anchor(e, (uint64_t)sqlite3_column_int64(s, 0), rec, n, why);
    }
    if (!err && rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read the anchors");
    shapes_free(shapes);
    (void)sqlite3_finalize(s);
    return err;
}

/* Size 0: there is none, or it cannot be read, which the verification says. */
static void newest_head(sqlite3 *db, int64_t *size, struct tree_hash *root)
{
    sqlite3_stmt *s;
    if (db_prepare(db, "SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1", &s, NULL))
        return;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_bytes(s, 1) == (int)sizeof root->b) {
        *size = sqlite3_column_int64(s, 0);
        memcpy(root->b, sqlite3_column_blob(s, 1), sizeof root->b);
    }
    (void)sqlite3_finalize(s);
}

/* The signer was asked before the database was opened, so that a station at work can only have gone on since. */
static enum fl_err add_signer(sqlite3 *db, struct checking *x, struct check_result *out, struct fl_why *why)
{
    const struct remembered *r = x->c->signer;
    struct fl_buf note = FL_BUF(NOTE_BYTES_MAX);
    struct tree_hash root = {{0}};
    int64_t size = 0;
    if (!r)
        return FL_OK;
    out->signer = r->known;
    (void)snprintf(out->signer_why, sizeof out->signer_why, "%s", r->why);
    if (r->known != REMEMBERED_TOLD)
        return FL_OK;
    if (strcmp(r->origin, x->keys[0].name) != 0) {
        out->signer = REMEMBERED_CLOSED;
        (void)snprintf(out->signer_why, sizeof out->signer_why, "it signs for %.150s", r->origin);
        return FL_OK;
    }
    newest_head(db, &size, &root);
    size_t at = remembered_choose(r, (uint64_t)size, &root, &out->signer_ahead);
    if (at == r->n)
        return FL_OK;
    enum fl_err err = remembered_note(r, at, &note, why);
    if (!err)
        err = evidence_note(&x->e, EVIDENCE_SIGNER, "the signer's memory", &note, why);
    fl_buf_fini(&note);
    return err;
}

/* Among several trusted logs, the one that the folder says it is: which that is stands in the report. */
static enum fl_err find_key(const struct check_config *c, const struct folder *f, struct check_result *out,
                            struct vkey keys[static TRUST_KEYS_MAX], size_t *n_keys, struct fl_why *why)
{
    char station[FOLDER_STATION_MAX];
    bool trusted = !c->vkey && c->trust && c->trust->n_logs;
    *n_keys = 1;
    out->own_key = !c->vkey && !trusted;
    if (!c->vkey) {
        enum fl_err own = folder_identity(f, station, &keys[0], trusted ? NULL : why);
        if (trusted)
            *n_keys = trust_log(c->trust, own ? "" : keys[0].name, keys);
        if (own == FL_ACCESS && !trusted) {
            char text[FL_WHY_MAX];
            (void)snprintf(text, sizeof text, "%s", why ? why->text : "");
            own = fl_fail(why, own, "%.330s; the verifier key from paper does as well: --key", text);
        }
        if (trusted || !own)
            out->vkey = keys[0];
        return trusted ? FL_OK : own;
    }
    enum fl_err err = vkey_parse(c->vkey, &out->vkey, why);
    if (!err && out->vkey.type != KEY_NOTE)
        err = fl_fail(why, FL_FORMAT, "the key is a witness's, not a log's");
    keys[0] = out->vkey;
    return err ? FL_FORMAT : FL_OK;
}

static enum fl_err verify_log(sqlite3 *db, struct checking *x, struct check_result *out, struct fl_why *why)
{
    struct ledger_reader reader;
    struct audit_source source;
    enum fl_err err = ledger_reader_open(db, &reader, &source, why);
    if (err)
        return err;
    struct audit_config c = {.keys = x->keys, .n_keys = x->n_keys};
    err = account_new(&c.account, why);
    if (!err)
        err = read_anchors(db, &x->e, why);
    if (!err)
        err = add_signer(db, x, out, why);
    if (!err)
        err = evidence_outside(&x->e, &c.outside, &c.n_outside, why);
    if (!err)
        err = audit_verify(&source, &c, &out->report, why);
    account_free(c.account);
    ledger_reader_close(&reader);
    return err;
}

/* A damaged file is a finding, not a failure to look. */
static enum fl_err as_finding(struct check_result *out, enum audit_class class, enum fl_err err, const struct fl_why *why)
{
    if (err != FL_MISMATCH)
        return err;
    audit_add(&out->report, class, 0, 0, "%s", why->text);
    return FL_OK;
}

static enum fl_err check_database(sqlite3 *db, struct checking *x, struct check_result *out, struct fl_why *why)
{
    struct fl_why file = {0, ""}, schema = {0, ""};
    enum fl_err err = db_exec(db, "BEGIN", why); /* one snapshot for all that follows */
    if (err)
        return err;
    enum fl_err file_err = db_check_file(db, true, &file), schema_err = db_check_schema(db, &schema);
    err = verify_log(db, x, out, why);
    err = as_finding(out, AUDIT_DATABASE, err, why);
    /* where the schema was changed there may be no table to read: then that is what there is to say, and it must be said */
    if (err && err != FL_NOMEM && (file_err == FL_MISMATCH || schema_err == FL_MISMATCH)) {
        audit_add(&out->report, AUDIT_DATABASE, 0, 0, "the log cannot be read: %.300s", why->text);
        err = FL_OK;
    }
    if (!err && file_err) {
        *why = file;
        err = as_finding(out, AUDIT_DATABASE, file_err, why);
    }
    if (!err && schema_err) {
        *why = schema;
        err = as_finding(out, AUDIT_SCHEMA, schema_err, why);
    }
    if (err || x->c->log_only || file_err)
        return err;
    err = check_rows(db, out, why);
    if (!err)
        err = check_names(db, out, why);
    if (!err && out->rows_checked)
        err = check_outbox(db, out, why);
    return schema_err && err != FL_NOMEM ? FL_OK : err; /* no table to compare with: said above */
}

/* Is the folder's file what the log tells? A file that cannot be read is left to who uses it. */
static enum fl_err look_at_policy(const struct folder *f, struct check_result *out)
{
    struct fl_buf text = FL_BUF(POLICY_BYTES_MAX);
    char *path = fl_path_join(f->dir, "policy");
    enum fl_err err = path ? FL_OK : FL_NOMEM;
    bool unread = !err && fl_path_exists(path) && fl_file_read(path, &text, NULL);
    if (!err && !unread && out->report.policy.times) {
        err = policy_told_same(&out->report.policy, text.bytes, text.len, &out->policy_same, NULL);
        out->policy_looked = !err;
    }
    fl_buf_fini(&text);
    free(path);
    return err;
}

/* A log without one record, where a station was set up, is what is left of one. */
static void check_any(struct check_result *out)
{
    if (out->report.verdict == AUDIT_GOOD && !out->report.leaves)
        audit_add(&out->report, AUDIT_MISSING, 0, 0, "there is not one record: every log begins with one that opens it");
}

static enum fl_err check_once(const struct check_config *c, const struct folder *f, struct check_result *out,
                              bool *disturbed, struct fl_why *why)
{
    struct db_reader reader = {NULL, NULL, NULL};
    struct checking x = {.c = c};
    memset(out, 0, sizeof *out);
    enum fl_err err = find_key(c, f, out, x.keys, &x.n_keys, why);
    evidence_init(&x.e, c->trust);
    if (!err)
        err = read_evidence(c, f, &x.e, why);
    if (!err) {
        err = db_open_reader(f->db, true, &reader, why);
        err = as_finding(out, AUDIT_DATABASE, err, why);
    }
    if (!err && reader.db)
        err = check_database(reader.db, &x, out, why);
    if (!err)
        evidence_tell(&x.e, out);
    if (!err && look_at_policy(f, out))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err)
        check_any(out);
    *disturbed = db_reader_disturbed(&reader);
    db_close_reader(&reader);
    evidence_fini(&x.e);
    return err;
}

enum fl_err check_folder(const struct check_config *c, struct check_result *out, struct fl_why *why)
{
    struct folder f;
    bool disturbed = false;
    memset(out, 0, sizeof *out);
    enum fl_err err = folder_paths(c->data, &f, why);
    if (err)
        return err;
    if (!fl_path_exists(f.db))
        err = fl_fail(why, FL_NOT_FOUND, "there is no %.300s", f.db);
    if (!err)
        err = check_once(c, &f, out, &disturbed, why);
    if (disturbed) /* a station started while the file was read as one at rest: once more, beside it */
        err = check_once(c, &f, out, &disturbed, why);
    folder_fini(&f);
    return err;
}
