/* SPDX-License-Identifier: Apache-2.0 */
#include "record/check.h"

#include "base/file.h"
#include "record/check_rows.h"
#include "record/db.h"
#include "record/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { HEADS_MAX = 1000 };

struct outside {
    struct audit_outside *list;
    struct fl_buf *bytes;
    size_t n;
};

static void outside_fini(struct outside *o)
{
    for (size_t i = 0; i < o->n; i++)
        fl_buf_fini(&o->bytes[i]);
    free(o->bytes);
    free(o->list);
}

/* The folder's own mark first: read before the database is, so that a station at work cannot be ahead of us. */
static enum fl_err outside_read(const struct check_config *c, const struct folder *f, struct outside *o,
                                struct fl_why *why)
{
    size_t most = c->n_heads + 1;
    enum fl_err err = FL_OK;
    if (most > HEADS_MAX)
        return fl_fail(why, FL_LIMIT, "more than %d heads", HEADS_MAX - 1);
    o->list = calloc(most, sizeof *o->list);
    o->bytes = calloc(most, sizeof *o->bytes);
    if (!o->list || !o->bytes)
        return fl_fail(why, FL_NOMEM, "out of memory");
    for (size_t i = 0; i < most && !err; i++) {
        const char *path = i ? c->heads[i - 1] : f->checkpoint;
        if (!i && !fl_path_exists(path))
            continue;
        o->bytes[o->n] = FL_BUF(NOTE_BYTES_MAX);
        err = fl_file_read(path, &o->bytes[o->n], why);
        o->list[o->n].name = path;
        o->n++;
    }
    for (size_t i = 0; i < o->n; i++) {
        o->list[i].note = o->bytes[i].bytes;
        o->list[i].n = o->bytes[i].len;
    }
    return err;
}

static enum fl_err find_key(const struct check_config *c, const struct folder *f, struct check_result *out,
                            struct fl_why *why)
{
    char station[FOLDER_STATION_MAX];
    out->own_key = !c->vkey;
    if (!c->vkey)
        return folder_identity(f, station, &out->vkey, why);
    enum fl_err err = vkey_parse(c->vkey, &out->vkey, why);
    if (!err && out->vkey.type != KEY_NOTE)
        err = fl_fail(why, FL_FORMAT, "the key is a witness's, not a log's");
    return err ? FL_FORMAT : FL_OK;
}

static enum fl_err verify_log(sqlite3 *db, const struct outside *o, struct check_result *out, struct fl_why *why)
{
    struct ledger_reader reader;
    struct audit_source source;
    enum fl_err err = ledger_reader_open(db, &reader, &source, why);
    if (err)
        return err;
    const struct audit_config c = {.keys = &out->vkey, .n_keys = 1, .outside = o->list, .n_outside = o->n};
    err = audit_verify(&source, &c, &out->report, why);
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

static enum fl_err check_database(sqlite3 *db, const struct outside *o, const struct check_config *c,
                                  struct check_result *out, struct fl_why *why)
{
    struct fl_why file = {0, ""}, schema = {0, ""};
    enum fl_err err = db_exec(db, "BEGIN", why); /* one snapshot for all that follows */
    if (err)
        return err;
    enum fl_err file_err = db_check_file(db, true, &file), schema_err = db_check_schema(db, &schema);
    err = verify_log(db, o, out, why);
    err = as_finding(out, AUDIT_DATABASE, err, why);
    if (!err && file_err) {
        *why = file;
        err = as_finding(out, AUDIT_DATABASE, file_err, why);
    }
    if (!err && schema_err) {
        *why = schema;
        err = as_finding(out, AUDIT_SCHEMA, schema_err, why);
    }
    if (!err && !c->log_only && !file_err)
        err = check_rows(db, out, why);
    /* where the schema was changed there may be no table to compare with: that is said already */
    return schema_err && err != FL_NOMEM ? FL_OK : err;
}

/* Which of the heads agreed: the folder's own, those from outside. */
static void count_heads(const struct check_config *c, const struct folder *f, const struct outside *o,
                        struct check_result *out)
{
    out->heads_given = c->n_heads;
    for (size_t i = 0; i < o->n; i++) {
        const struct audit_outside *h = &o->list[i];
        if (h->agreed && h->name == f->checkpoint)
            out->mark = true;
        else if (h->agreed) {
            out->heads_agreed++;
            out->heads_size = h->size > out->heads_size ? h->size : out->heads_size;
        }
    }
}

static enum fl_err check_once(const struct check_config *c, const struct folder *f, struct check_result *out,
                              bool *disturbed, struct fl_why *why)
{
    struct db_reader reader = {NULL, NULL, NULL};
    struct outside o = {NULL, NULL, 0};
    memset(out, 0, sizeof *out);
    enum fl_err err = find_key(c, f, out, why);
    if (!err)
        err = outside_read(c, f, &o, why);
    if (!err) {
        err = db_open_reader(f->db, true, &reader, why);
        err = as_finding(out, AUDIT_DATABASE, err, why);
    }
    if (!err && reader.db)
        err = check_database(reader.db, &o, c, out, why);
    count_heads(c, f, &o, out);
    *disturbed = db_reader_disturbed(&reader);
    db_close_reader(&reader);
    outside_fini(&o);
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
