/* SPDX-License-Identifier: Apache-2.0 */
#include "store/settings.h"

#include "base/hash.h"
#include "event/event.h"
#include "store/db.h"
#include "store/folder.h"

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

static enum fl_err same_as_before(const char *data, const char *what, const char *text, bool *same, struct fl_why *why)
{
    struct db_reader r;
    sqlite3_stmt *s = NULL;
    *same = false;
    enum fl_err err = folder_open_reader(data, false, &r, why);
    if (!err)
        err = db_prepare(r.db, "SELECT text FROM config_change WHERE what = ?1 ORDER BY leaf DESC LIMIT 1", &s, why);
    if (!err) {
        (void)sqlite3_bind_text(s, 1, what, -1, SQLITE_STATIC);
        *same = sqlite3_step(s) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), text) == 0;
    }
    (void)sqlite3_finalize(s);
    db_close_reader(&r);
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

enum fl_err settings_changed(const char *data, const char *what, const char *text, const char *operator_id, json_t **out,
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
        err = same_as_before(data, what, fl_json_text(body, "text"), &same, why);
    fl_buf_fini(&now);
    if (err || same)
        json_decref(body);
    else
        *out = body;
    return err;
}
