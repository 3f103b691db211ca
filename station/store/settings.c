/* SPDX-License-Identifier: Apache-2.0 */
#include "store/settings.h"

#include "audit/policy.h"
#include "audit/policy_told.h"
#include "base/file.h"
#include "base/hash.h"
#include "event/event.h"
#include "store/db.h"
#include "store/shapes.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 1000 }; /* bytes kept of a text that is too long */

/* What the record would hold. */
static enum fl_err recorded_text(const char *text, struct fl_buf *out, struct fl_why *why)
{
    uint8_t hash[FL_SHA256_SIZE];
    char hex[2 * FL_SHA256_SIZE + 1];
    size_t n = strlen(text);
    enum fl_err err = FL_OK;
    if (n <= SETTINGS_TEXT_MAX) {
        fl_buf_adds(out, text);
    } else {
        err = fl_sha256(text, n, hash);
        fl_hex(hash, sizeof hash, hex);
        fl_buf_add(out, text, HEAD);
        fl_buf_addf(out, "\n... %zu bytes, SHA-256 %s\n", n, hex);
    }
    return err ? fl_fail(why, err, "%s", fl_err_text(err)) : fl_buf_err(out, why);
}

static enum fl_err same_as_before(sqlite3 *db, const char *what, const char *text, bool *same, struct fl_why *why)
{
    sqlite3_stmt *s;
    *same = false;
    enum fl_err err = db_prepare(db, "SELECT text FROM config_change WHERE what = ?1 ORDER BY leaf DESC LIMIT 1", &s, why);
    if (err)
        return err;
    (void)sqlite3_bind_text(s, 1, what, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *same = strcmp(db_text(s, 0), text) == 0;
    else if (rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read how the station was set up");
    (void)sqlite3_finalize(s);
    return err;
}

static json_t *body_of(const char *what, const struct fl_buf *text, const char *operator_id)
{
    char job[EVENT_JOB_TEXT];
    json_t *o = event_job(job) ? NULL : json_pack("{ss,ss}", "job", job, "what", what);
    bool bad = !o || fl_json_set_dirty(o, "text", text->bytes ? (const char *)text->bytes : "", text->len) != FL_OK;
    if (!bad && operator_id && *operator_id)
        bad = fl_json_set_dirty(o, "operator", operator_id, strlen(operator_id)) != FL_OK;
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

enum fl_err settings_changed(sqlite3 *db, const char *what, const char *text, const char *operator_id, json_t **out,
                             struct fl_why *why)
{
    struct fl_buf now = FL_BUF(SETTINGS_TEXT_MAX + HEAD);
    bool same = false;
    *out = NULL;
    enum fl_err err = recorded_text(text, &now, why);
    json_t *body = err ? NULL : body_of(what, &now, operator_id);
    if (!err && !body)
        err = fl_fail(why, FL_NOMEM, "out of memory");
    if (!err) /* compared as it would be recorded: what is no UTF-8 is made clean */
        err = same_as_before(db, what, fl_json_text(body, "text"), &same, why);
    fl_buf_fini(&now);
    if (err || same)
        json_decref(body);
    else
        *out = body;
    return err;
}

/* ---- the witnesses that the log asks for ------------------------------------------------------------- */

enum fl_err settings_policy(const struct folder *f, struct fl_buf *out, struct fl_why *why)
{
    struct fl_buf bytes = FL_BUF(POLICY_BYTES_MAX);
    char *path = fl_path_join(f->dir, "policy");
    enum fl_err err = path ? FL_OK : fl_fail(why, FL_NOMEM, "out of memory");
    if (!err && fl_path_exists(path))
        err = fl_file_read(path, &bytes, why);
    if (!err)
        err = policy_as_told(bytes.bytes, bytes.len, out, why);
    fl_buf_fini(&bytes);
    free(path);
    return err;
}

/* As the log told it when it was opened. */
static enum fl_err first_policy(sqlite3 *db, struct fl_buf *out, bool *told, struct fl_why *why)
{
    struct shapes *shapes;
    json_t *leaf = NULL;
    const uint8_t *rec;
    size_t n;
    enum fl_err err = shapes_new(db, &shapes, why);
    if (err)
        return err;
    err = shapes_record(shapes, 0, &rec, &n, why);
    if (!err)
        err = fl_json_parse(rec, n, &leaf, why);
    *told = json_is_string(json_object_get(leaf, "policy"));
    fl_buf_adds(out, fl_json_text(leaf, "policy"));
    json_decref(leaf);
    shapes_free(shapes);
    return err ? err : fl_buf_err(out, why);
}

enum fl_err settings_policy_told(sqlite3 *db, struct fl_buf *out, bool *told, struct fl_why *why)
{
    sqlite3_stmt *s;
    *told = false;
    enum fl_err err = db_prepare(db, "SELECT text FROM config_change WHERE what = 'policy' ORDER BY leaf DESC LIMIT 1", &s, why);
    if (err)
        return err;
    int rc = sqlite3_step(s);
    *told = rc == SQLITE_ROW;
    if (*told)
        fl_buf_adds(out, db_text(s, 0));
    else if (rc != SQLITE_DONE)
        err = db_fail(db, why, "cannot read which witnesses the log asks for");
    (void)sqlite3_finalize(s);
    return err ? err : *told ? fl_buf_err(out, why) : first_policy(db, out, told, why);
}

enum fl_err settings_policy_changed(sqlite3 *db, const struct folder *f, json_t **out, struct fl_why *why)
{
    struct fl_buf now = FL_BUF(POLICY_TOLD_MAX + 1), was = FL_BUF(LEAF_BYTES_MAX);
    bool told;
    *out = NULL;
    enum fl_err err = settings_policy(f, &now, why);
    if (!err)
        err = settings_policy_told(db, &was, &told, why);
    /* a log that says nothing asks for nobody */
    if (!err && strcmp(fl_buf_text(&now), fl_buf_text(&was)) != 0 && !(*out = body_of("policy", &now, NULL)))
        err = fl_fail(why, FL_NOMEM, "out of memory");
    fl_buf_fini(&now);
    fl_buf_fini(&was);
    return err;
}
